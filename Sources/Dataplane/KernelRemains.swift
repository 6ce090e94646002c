#if !$Embedded
import Wire

/// What an agent left behind in the kernel's maps, by which packets still go: read by the agent that follows it.
///
/// A VIP map made of it continues the old one: endpoints keep their numbers and backends their rows, so that
/// records and counters stay true, and what the new configuration changes begins to move as if the agent had
/// never stopped.
public struct KernelRemains: Sendable {
  /// Endpoints and VIPs by address.
  public let endpoints: [(address: EndpointAddress, value: KernelEndpoint)]
  /// The bank in use.
  public let targets: [Target]
  /// The bank in use.
  public let movements: [MovementState]
  /// Look-up tables by their place in the map of tables.
  public let tables: [UInt32: [KernelSlot]]

  /// Joins them.
  public init(
    endpoints: [(address: EndpointAddress, value: KernelEndpoint)], targets: [Target],
    movements: [MovementState], tables: [UInt32: [KernelSlot]]
  ) {
    self.endpoints = endpoints
    self.targets = targets
    self.movements = movements
    self.tables = tables
  }

  /// The bank in use.
  public var bank: UInt32 { endpoints.first.map { UInt32($0.value.bank) } ?? 0 }

  /// One endpoint as it was; nil when the remains contradict themselves.
  func state(_ address: EndpointAddress, _ value: KernelEndpoint) -> EndpointState? {
    let (first, count) = (Int(value.firstTarget), Int(value.targetCount))
    let accepting = Int(value.acceptingCount)
    guard let fields = HashedFields(rawValue: value.fields), first + count <= targets.count,
      accepting <= count
    else { return nil }
    let own = Array(targets[first..<(first + count)])
    // Weights are not in the kernel: one that no configuration has makes the next one build its own table.
    let backends = own.enumerated().map { place, target in
      WeightedBackend(locator: target.locator, weight: place < accepting ? Int.max : 0)
    }
    var slots: [UInt16] = []
    var movement: Movement?
    if let table = tables[value.table], accepting > 0 || value.isMoving != 0 {
      guard Int(value.slotCount) <= table.count else { return nil }
      slots = table.prefix(Int(value.slotCount)).map(\.place)
      guard accepting == 0 || slots.allSatisfy({ $0 < accepting }) else { return nil }
      if value.isMoving != 0 {
        let places = table.prefix(Int(value.slotCount)).map(\.movement)
        let last = Int(value.firstMovement) + Int(places.max() ?? 0)
        guard last < movements.count else { return nil }
        movement = Movement(restoring: places, Array(movements[Int(value.firstMovement)...last]))
      }
    } else if accepting > 0 {
      return nil
    } else {
      slots = [UInt16](repeating: 0, count: Int(value.slotCount))
    }
    let configuration = EndpointConfiguration(
      vip: address.vip, port: address.port, proto: address.proto, affinity: fields,
      idleTimeout: value.idleTimeout, backends: backends)
    return EndpointState(
      configuration, number: value.number,
      table: BackendTable(Array(backends.prefix(accepting)), restoring: slots), targets: own,
      movement: movement)
  }
}

extension VIPMap {
  /// Continues a map that an agent left in the kernel; endpoints whose remains contradict themselves are left
  /// out, and begin anew.
  public convenience init(
    restoring remains: KernelRemains, seed: UInt64, slotCount: Int = Limits.slotCount,
    counterRows: Int = Limits.counterRows
  ) {
    let states = remains.endpoints.filter { $0.address.port != 0 && Int($0.value.slotCount) == slotCount }
      .compactMap { remains.state($0.address, $0.value) }
      .sorted { $0.configuration.address < $1.configuration.address }
    var directory = CounterDirectory(capacity: counterRows)
    for state in states {
      for target in state.counted { directory.restore(state.configuration.address, target) }
    }
    let vipRows = remains.endpoints.filter { $0.address.port == 0 }
      .map { VIPRow(vip: $0.address.vip, target: $0.value.snatRow) }.sorted { $0.vip < $1.vip }
    for row in vipRows { directory.restore(row.address, row.target) }
    directory.finishRestoring()
    let numbers = Set(states.map(\.number))
    let next = (numbers.max() ?? 0) + (numbers.isEmpty ? 0 : 1)
    self.init(
      hash: PoolHash(seed: seed), slotCount: slotCount, states: states, plainVIPs: [], vipRows: vipRows,
      directory: directory,
      freeNumbers: (0..<next).filter { !numbers.contains($0) }, nextNumber: next, tables: [:])
  }
}
#endif
