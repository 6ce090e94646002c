public import Dataplane
public import Platform
internal import Wire

/// What an agent can go on with of the maps that one before it has pinned.
public enum KernelInheritance: String, Hashable, Sendable {
  /// All of it; also where there was nothing.
  case all
  /// Connections recorded: the other maps are another version's, and new ones have taken their names.
  case records
  /// Nothing: all are another version's.
  case nothing
}

extension MuxKernel {
  /// What was gone on with of an agent before this one.
  public var inheritance: KernelInheritance { maps.inheritance }

  /// Lets records that another version's programs have made be found by the endpoints of an image: gives them
  /// its numbers and counters, and removes those of endpoints that are no more.
  ///
  /// To be called before the image's programs see packets, and, with what that call returned, once more when
  /// the others see none; `declareCurrent` follows.
  /// - Returns: the records that the endpoints' counts hold.
  @discardableResult public func adoptRecords(
    _ image: KernelImage, known: Set<KernelFlowKey> = []
  ) throws(PlatformError) -> Set<KernelFlowKey> {
    var numbers: [EndpointAddress: UInt32] = [:]
    for (address, value) in image.endpoints where address.port != 0 {
      numbers[address] = value.number & UInt32(Limits.endpoints - 1)
    }
    var targets: [EndpointAddress: [IPv4Address: Target]] = [:]
    for (address, target) in image.map.countedTargets {
      targets[address, default: [:]][target.locator] = target
    }
    var known = known
    var gone: [KernelFlowKey] = []
    var changed: [(key: KernelFlowKey, record: FlowRecord)] = []
    try maps.flows.forEach { (key: KernelFlowKey, record: FlowRecord) in
      guard let number = numbers[key.endpoint] else { return gone.append(key) }
      let locator = record.target.locator
      // A backend that nobody counts any more has row 0.
      let target = targets[key.endpoint]?[locator] ?? Target(locator: locator, row: 0, generation: 0)
      guard record.number != number || record.target != target || !known.contains(key) else { return }
      changed.append((key, FlowRecord(record, of: target, number: number)))
    }
    try maps.flows.remove(gone.span)
    for (key, record) in changed where try replace(key, record) {
      // One counted that ends meanwhile costs look-ups, one that is not counted would not be found.
      if known.insert(key).inserted { flowCounts.add(1, to: Int(record.number)) }
    }
    return known
  }

  /// Changes a record that is still there.
  private func replace(_ key: KernelFlowKey, _ record: FlowRecord) throws(PlatformError) -> Bool {
    do throws(PlatformError) {
      try maps.flows.update(key, to: record, if: .present)
      return true
    } catch {
      guard error.reason == .missing else { throw error }
      return false
    }
  }

  /// Says that all that is pinned is this version's: the next agent can go on with all of it.
  public func declareCurrent() throws(PlatformError) { try maps.declareCurrent() }
}
