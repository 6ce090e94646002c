import Paxos
import Replication
import Synchronization

/// A disk in memory that can be full, stand still, or be damaged.
final class MemoryDisk: ReplicaDisk {
  private struct State {
    var durable: DurableState?
    var isFull = false
    var isHeld = false
    var damage: String?
    var writes: [Int] = []
  }

  let replica: ReplicaID
  private let state: Mutex<State>

  init(_ number: UInt64, holding durable: DurableState? = nil) {
    replica = durable?.replica ?? ReplicaID(number)
    state = Mutex(State(durable: durable))
  }

  /// What a crash would leave.
  var durable: DurableState? { state.withLock { $0.durable } }
  /// Batches per sync.
  var writes: [Int] { state.withLock { $0.writes } }

  func setFull(_ isFull: Bool) { state.withLock { $0.isFull = isFull } }
  func setHeld(_ isHeld: Bool) { state.withLock { $0.isHeld = isHeld } }
  func damage(_ reason: String) { state.withLock { $0.damage = reason } }

  func recover() throws(DiskFailure) -> DurableState? {
    let (durable, damage) = state.withLock { ($0.durable, $0.damage) }
    if let damage { throw DiskFailure(.damaged, damage) }
    return durable
  }

  func found(_ new: DurableState) throws(DiskFailure) {
    try check()
    state.withLock { state in
      precondition(state.durable == nil, "founded twice")
      state.durable = new
    }
  }

  func write(_ batches: [WriteBatch]) throws(DiskFailure) {
    while state.withLock({ $0.isHeld }) { pause() }
    try check()
    state.withLock { state in
      for write in batches.flatMap(\.writes) { state.durable?.apply(write) }
      state.writes.append(batches.count)
    }
  }

  func close() {}

  private func check() throws(DiskFailure) {
    let (isFull, damage) = state.withLock { ($0.isFull, $0.damage) }
    if isFull { throw DiskFailure(.full, "the disk is full; make room") }
    if let damage { throw DiskFailure(.damaged, damage) }
  }
}
