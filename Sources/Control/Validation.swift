/// The judgement on an operation: what it would change, what is wrong with it, what it would lead to.
///
/// Every error is found, not only the first. What two resources share is held against the one that comes
/// later in the request, and against a touched one rather than one that is not part of the request.
public struct Validation: Sendable {
  /// In the order of the request; empty on refusal.
  public private(set) var changes: [Change] = []
  /// True of an accepted operation, too.
  public private(set) var warnings: [Finding] = []
  /// Not empty: the operation is refused.
  public private(set) var errors: [Finding] = []
  /// The state with the operation carried out; on refusal the state as it is.
  public private(set) var state: DesiredState

  /// Judges an operation on the state that it meets.
  public init(_ operation: Operation, on state: DesiredState) {
    self.state = state
    var findings = Findings()
    let next: DesiredState
    switch operation {
    case .apply(let resources):
      next = Self.judge(applying: resources, on: state, &findings)
      changes = resources.map { Self.change(of: $0.normalized, on: state) }
    case .delete(let keys):
      next = Self.judge(deleting: keys, on: state, &findings)
      changes = keys.compactMap { key in
        state[key].map { Change(key: key, action: .deleted, before: $0, after: nil) }
      }
    }
    findings.close()
    warnings = findings.warnings
    errors = findings.errors
    guard errors.isEmpty else {
      changes = []
      return
    }
    self.state = next
  }

  /// Whether the operation may be carried out.
  public var isAccepted: Bool { errors.isEmpty }

  /// Whether carrying it out would change nothing.
  public var isIdle: Bool { changes.allSatisfy { $0.action == .unchanged } }

  private static func change(of resource: Resource, on state: DesiredState) -> Change {
    let before = state[resource.key]
    let action: Change.Action = before == nil ? .created : before == resource ? .unchanged : .configured
    return Change(key: resource.key, action: action, before: before, after: resource)
  }

  // MARK: Apply

  private static func judge(
    applying resources: [Resource], on state: DesiredState, _ findings: inout Findings
  ) -> DesiredState {
    guard let first = resources.first?.key else { return state }
    guard resources.count <= Limits.resourcesPerOperation else {
      findings.refuse(first, "", tooMany(resources.count))
      return state
    }
    var next = state
    var order: [ResourceKey: Int] = [:]
    for (position, resource) in resources.enumerated() {
      let key = resource.key
      if let reason = NameCheck.label(key.name) { findings.refuse(key, "metadata.name", reason) }
      if let twin = order[key] {
        findings.refuse(
          key, "metadata.name",
          "\(key) is given twice, as document \(twin + 1) and as document \(position + 1)")
        continue
      }
      order[key] = position
      next.insert(resource.normalized)
    }
    checkSize(of: next, from: state, blame: first, &findings)
    let around = Neighborhood(next, order: order)
    for (position, resource) in resources.enumerated() where order[resource.key] == position {
      switch resource {
      case .node(let node): NodeCheck(node, around: around).run(&findings)
      case .virtualNetwork(let network): NetworkCheck(network, around: around).run(&findings)
      case .virtualMachine(let machine): MachineCheck(machine, around: around).run(&findings)
      case .service(let service): ServiceCheck(service, around: around).run(&findings)
      }
    }
    return next
  }

  private static func checkSize(
    of next: DesiredState, from state: DesiredState, blame key: ResourceKey, _ findings: inout Findings
  ) {
    let sizes: [(kind: Kind, before: Int, after: Int, limit: Int)] = [
      (.node, state.nodes.count, next.nodes.count, Limits.nodes),
      (.virtualNetwork, state.networks.count, next.networks.count, Limits.networks),
      (.virtualMachine, state.machines.count, next.machines.count, Limits.machines),
      (.service, state.services.count, next.services.count, Limits.services),
    ]
    for size in sizes where size.after > size.limit && size.after > size.before {
      findings.refuse(
        key, "",
        "there would be \(size.after) of kind \(size.kind.rawValue); at most \(size.limit) are allowed")
    }
  }

  // MARK: Delete

  private static func judge(
    deleting keys: [ResourceKey], on state: DesiredState, _ findings: inout Findings
  ) -> DesiredState {
    guard let first = keys.first else { return state }
    guard keys.count <= Limits.resourcesPerOperation else {
      findings.refuse(first, "", tooMany(keys.count))
      return state
    }
    var next = state
    var seen: Set<ResourceKey> = []
    for key in keys {
      guard seen.insert(key).inserted else {
        findings.refuse(key, "metadata.name", "\(key) is given twice")
        continue
      }
      guard state[key] != nil else {
        findings.refuse(key, "metadata.name", "there is no \(key)")
        continue
      }
      next.remove(key)
    }
    let referrers = References(in: next)
    for key in keys where state[key] != nil && next[key] == nil {
      for place in referrers.places(naming: key) {
        findings.refuse(
          key, "metadata.name",
          "\(place.key) names it in \(place.path); delete or change that one with or before it")
      }
    }
    return next
  }

  private static func tooMany(_ count: Int) -> String {
    "the operation holds \(count) resources; at most \(Limits.resourcesPerOperation) are allowed, so split it"
  }
}
