#if !$Embedded
public import Wire

/// Endpoint → look-up table over its backends: what a MUX knows, as it was at one moment.
///
/// A snapshot: made by the thread that holds the configuration, never changed, read by all workers through
/// raw pointers without locks. The next one is made from the last by `updated` and shares all that did not
/// change. What moves and since when is part of it, so movement survives any number of changes.
@safe public final class VIPMap: @unchecked Sendable {
  /// The pool's hash and so its seed.
  public let hash: PoolHash
  /// Of every look-up table; a prime.
  public let slotCount: Int
  /// Sorted by address.
  let states: [EndpointState]
  /// VIPs that are served though no endpoint says so, sorted.
  let plainVIPs: [IPv4Address]
  /// All VIPs, sorted.
  let vipRows: [VIPRow]
  let directory: CounterDirectory
  /// Numbers of endpoints that are free again.
  let freeNumbers: [UInt32]
  let nextNumber: UInt32
  let tables: [[WeightedBackend]: BackendTable]
  /// Open addressing; a power of two, at least half of it empty.
  let cells: UnsafeMutablePointer<MapCell>
  let cellCount: Int

  /// The empty map, with which every MUX begins.
  ///
  /// `slotCount` must be a prime below 65,536 · 64; `counterRows` is the number of pairs of endpoint and
  /// backend that are counted apart.
  public convenience init(
    seed: UInt64, slotCount: Int = Limits.slotCount, counterRows: Int = Limits.counterRows
  ) {
    precondition(slotCount > 1 && slotCount < 1 << 22 && MaglevTable.isPrime(slotCount), "a prime of slots")
    self.init(
      hash: PoolHash(seed: seed), slotCount: slotCount, states: [], plainVIPs: [], vipRows: [],
      directory: CounterDirectory(capacity: counterRows), freeNumbers: [], nextNumber: 0, tables: [:])
  }

  init(
    hash: PoolHash, slotCount: Int, states: [EndpointState], plainVIPs: [IPv4Address], vipRows: [VIPRow],
    directory: CounterDirectory, freeNumbers: [UInt32], nextNumber: UInt32,
    tables: [[WeightedBackend]: BackendTable]
  ) {
    self.hash = hash
    self.slotCount = slotCount
    self.states = states
    self.plainVIPs = plainVIPs
    self.vipRows = vipRows
    self.directory = directory
    self.freeNumbers = freeNumbers
    self.nextNumber = nextNumber
    self.tables = tables
    var count = 16
    while count < 2 * (states.count + vipRows.count) { count *= 2 }
    cellCount = count
    unsafe cells = .allocate(capacity: count)
    unsafe cells.initialize(repeating: MapCell(), count: count)
    for (index, state) in states.enumerated() {
      unsafe insert(MapCell(state, index: index))
    }
    for row in vipRows { unsafe insert(MapCell(row)) }
  }

  deinit { unsafe cells.deallocate() }

  /// Only while `self` is being made.
  private func insert(_ cell: MapCell) {
    var place = unsafe MapCell.firstPlace(cell.address) & (cellCount - 1)
    while unsafe cells[place].kind != .empty {
      if unsafe cells[place].address == cell.address { return }
      place = (place + 1) & (cellCount - 1)
    }
    unsafe cells[place] = cell
  }

  /// How many endpoints it has.
  public var endpointCount: Int { states.count }

  /// The endpoints in order of address, as they were given but for backends of weight 0.
  public var endpoints: [EndpointConfiguration] { states.map(\.configuration) }

  /// All VIPs, sorted.
  public var vips: [IPv4Address] { vipRows.map(\.vip) }

  /// Whether any slot moves.
  public var isMoving: Bool { states.contains { $0.movement != nil } }

  /// The backend that the table alone names for a connection; nil when nobody serves it.
  public func backend(of connection: FiveTuple) -> IPv4Address? {
    let address = EndpointAddress(
      vip: connection.destination, port: connection.destinationPort, proto: connection.proto)
    guard let state = states.first(where: { $0.configuration.address == address }) else { return nil }
    let number = hash.hash(connection, state.configuration.affinity)
    return state.target(ofSlot: PoolHash.slot(of: number, slotCount: UInt32(slotCount)))?.locator
  }

  /// The shares of an endpoint's backends: slots by locator, in order of locator.
  public func shares(of address: EndpointAddress) -> [(locator: IPv4Address, slots: Int)] {
    guard let state = states.first(where: { $0.configuration.address == address }) else { return [] }
    var counts = [Int](repeating: 0, count: state.table.backends.count)
    guard !counts.isEmpty else { return [] }
    for slot in 0..<slotCount {
      if let place = state.table.place(ofSlot: slot) { counts[place] += 1 }
    }
    return counts.indices.map { (state.table.backends[$0].locator, counts[$0]) }
  }
}
#endif
