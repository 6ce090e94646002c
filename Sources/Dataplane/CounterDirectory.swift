#if !$Embedded
import Wire

/// Which row of the counters belongs to which endpoint and backend.
///
/// A pair keeps its row as long as it exists. A row that is free again goes to another pair under a new
/// generation, by which workers notice that they have to start from zero. Row 0 counts for all pairs
/// that found no row.
struct CounterDirectory: Sendable {
  struct Row: Sendable {
    var address: EndpointAddress
    var locator: IPv4Address
    var generation: UInt32
    var isUsed: Bool
  }
  private(set) var rows: [Row] = []
  private var free: [UInt32] = []
  let capacity: Int

  init(capacity: Int) {
    precondition(capacity > 0, "row 0 is always there")
    self.capacity = capacity
    rows.append(
      Row(
        address: EndpointAddress(vip: .any, port: 0, proto: IPProtocol(0)), locator: .any, generation: 0,
        isUsed: true))
  }

  /// Finds a row for a new pair.
  mutating func allocate(_ address: EndpointAddress, _ locator: IPv4Address) -> Target {
    if let row = free.popLast() {
      let generation = rows[Int(row)].generation &+ 1
      rows[Int(row)] = Row(address: address, locator: locator, generation: generation, isUsed: true)
      return Target(locator: locator, row: row, generation: generation)
    }
    guard rows.count < capacity else { return Target(locator: locator, row: 0, generation: 0) }
    rows.append(Row(address: address, locator: locator, generation: 1, isUsed: true))
    return Target(locator: locator, row: UInt32(rows.count - 1), generation: 1)
  }

  /// Gives a pair the row that it had before this process; ended by `finishRestoring`.
  mutating func restore(_ address: EndpointAddress, _ target: Target) {
    guard target.row != 0, Int(target.row) < capacity else { return }
    while rows.count <= Int(target.row) {
      // What had the row before is not known: its next use gets a generation that was not there yet.
      rows.append(Row(address: address, locator: .any, generation: 0, isUsed: false))
    }
    rows[Int(target.row)] = Row(
      address: address, locator: target.locator, generation: target.generation, isUsed: true)
  }

  /// Makes the rows that nobody has free again, under generations that were not there yet.
  mutating func finishRestoring() {
    let newest = rows.map(\.generation).max() ?? 0
    free = rows.indices.dropFirst().filter { !rows[$0].isUsed }.map { UInt32($0) }
    for row in free { rows[Int(row)].generation = newest &+ Self.lifetime }
  }

  /// More generations than a row sees in the life of an agent.
  private static var lifetime: UInt32 { 1 << 16 }

  /// Takes back the row of a pair that is no more.
  mutating func release(_ target: Target) {
    guard target.row != 0, rows[Int(target.row)].isUsed else { return }
    rows[Int(target.row)].isUsed = false
    free.append(target.row)
  }
}
#endif
