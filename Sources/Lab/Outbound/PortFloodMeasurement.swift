import Control

/// What became of a flood of requests for ports.
public struct PortFloodReport: Codable, Hashable, Sendable {
  /// Requests that were sent: those that equalled one which waited still do not count.
  public var sent = 0
  /// Requests that were answered with leases.
  public var leased = 0
  /// Ranges that were leased.
  public var ranges = 0
  /// Refusals, by reason.
  public var refused: [String: Int] = [:]
  /// How often the stream began.
  public var streams = 0
  /// From the first request to the end.
  public var seconds = 0.0

  /// No request yet.
  public init() {}

  func perSecond(_ count: Int) -> Double { Double(count) / max(seconds, 0.001) }
}

/// What operators see while one host asks for far more ports than managers can give.
public struct PortFloodMeasurement: Codable, Hashable, Sendable {
  /// `apply --wait` without the flood.
  public var unloaded = Distribution(milliseconds: [])
  /// `apply --wait` beside it.
  public var loaded = Distribution(milliseconds: [])
  /// What managers lease when each VM has a request under way all the time, and nothing else is asked of the managers.
  public var capacity = PortFloodReport()
  /// Why the changes beside the flood came to no end; nil: they did.
  public var failure: String?
  /// So many times as many.
  public var flood = PortFloodReport()

  /// The node that asks; nothing but the flood says that it is there.
  static let node = "flood"
  static let service = "flood"
  /// So much more is asked for than is wanted, since a pause of the flood's own must not make it less.
  static let margin = 1.05

  /// How many times as many requests were sent as managers can answer.
  public var multiple: Double {
    guard capacity.leased > 0 else { return 0 }
    return flood.perSecond(flood.sent) / capacity.perSecond(capacity.leased)
  }

  /// Adds a node with many VMs, and asks for ports in its name.
  ///
  /// With ten requests a second for each, 400 VMs are more than managers can answer.
  public static func take(
    in lab: Lab, machines: Int = 400, applies: Int = 100, excess: Int = 10, seconds: Int = 40,
    capacitySeconds: Int = 5
  ) async throws(LabError) -> Self {
    var measured = PortFloodMeasurement()
    measured.unloaded = try await ControlMeasurement.applies(
      in: lab, count: applies, isWaiting: true, pause: 20)
    if lab.topology.security == .tls {
      try await lab.certificates.issue(
        node: node, roles: "host", address: "10.1.99.2", with: lab.record.programs.control)
    }
    try await configure("apply", machines: machines, in: lab)
    let capacity = try await flood(in: lab, perSecond: 0, seconds: capacitySeconds)
    measured.capacity = capacity
    let rate = Int(capacity.perSecond(capacity.leased) * Double(excess) * margin)
    let flooding = Task { try await flood(in: lab, perSecond: max(rate, excess), seconds: seconds) }
    try? await Task.sleep(for: .seconds(2))
    // While nobody speaks for the node, nothing that waits for every node would end.
    do throws(LabError) {
      measured.loaded = try await ControlMeasurement.applies(
        in: lab, count: applies, isWaiting: true, pause: 20)
    } catch {
      measured.failure = error.reason
    }
    measured.flood = try await BackendStopMeasurement.value(of: flooding)
    try await configure("delete", machines: machines, in: lab)
    return measured
  }

  private static func configure(
    _ verb: String, machines: Int, in lab: Lab
  ) async throws(LabError) {
    var command = try lab.control([verb, "-f", "-"])
    let names = (0..<machines).map { "flood-\($0)" }
    var documents = [
      "kind: Node\nmetadata: {name: \(node)}\nspec: {address: 10.1.99.2, roles: [host], locators: 10.64.96.0/22}\n",
      "kind: VirtualNetwork\nmetadata: {name: flood}\nspec: {prefixes: [10.99.0.0/16]}\n",
    ]
    for (index, name) in names.enumerated() {
      let dip = "10.99.\(index / 250).\(index % 250 + 1)"
      documents.append(
        "kind: VirtualMachine\nmetadata: {name: \(name)}\nspec: {network: flood, dip: \(dip), host: \(node), attachment: {netns: \(name)}}\n"
      )
    }
    let vip = lab.topology.router.vips.first.map { "\(Fabric.spare(of: $0))" } ?? ""
    documents.append(
      "kind: Service\nmetadata: {name: \(service)}\nspec: {vip: \(vip), snat: [\(names.joined(separator: ", "))]}\n"
    )
    command.input = documents.joined(separator: "---\n")
    try await command.check()
  }

  private static func flood(in lab: Lab, perSecond: Int, seconds: Int) async throws(LabError)
    -> PortFloodReport
  {
    var words = ["ports", "--node", node, "--per-second", "\(perSecond)", "--seconds", "\(seconds)"]
    if lab.topology.security == .tls {
      let files = lab.certificates.files(of: node)
      words += ["--certificate", files.certificate, "--key", files.key]
    }
    return try await lab.operate(words, seconds: seconds + 60)
  }

  /// The measurement as text.
  public var text: String {
    let (able, asked) = (capacity.perSecond(capacity.leased), flood.perSecond(flood.sent))
    let times = (multiple * 10).rounded() / 10
    let refusals = flood.refused.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
    return """
      requests for ports, per second: \(Int(able)) got leases when nothing else was asked, \
      \(Int(capacity.perSecond(capacity.ranges))) ranges; then \(Int(asked)) were sent, \(times) times as many, and \
      \(Int(flood.perSecond(flood.leased))) got leases; \
      refused: \(refusals.isEmpty ? "none" : refusals.joined(separator: ", "))
        apply --wait without it: \(unloaded.text)
        apply --wait beside it:  \(loaded.text)

      """ + (failure.map { "  failed: \($0)\n" } ?? "")
  }
}
