import Paxos

/// A process with a disk and a clock of its own.
struct SimulatedNode {
  let id: ReplicaID
  /// What a crash leaves.
  var durable: DurableState
  /// What it takes with it, except a part of it that happened to reach the disk.
  var unsynced: [WriteBatch] = []
  /// Nothing while the process is down.
  var replica: Replica?
  var machine = RegisterMachine()
  /// The program's state before the last entry.
  var before = RegisterMachine()
  /// Counts the starts, so that what was meant for an earlier process finds none.
  var life = 0
  /// Until when the process takes no input; what comes meanwhile waits.
  var stoppedUntil = 0
  /// Until when the disk stands still.
  var diskFree = 0
  /// When the newest sync begins and ends; batches that come before it begins go along.
  var sync = 0...0
  /// Parts per thousand by which its clock is fast.
  let drift: Int
  let offset: Int

  func clock(_ time: Int) -> Milliseconds {
    Milliseconds(offset + time * (1000 + drift) / 1000)
  }

  /// When a batch that is written now will be synced, if a sync takes so long.
  mutating func syncEnd(at time: Int, duration: Int) -> Int {
    if time >= sync.lowerBound {
      let start = max(time, diskFree, sync.upperBound)
      sync = start...start + duration
    }
    return sync.upperBound
  }

  mutating func sync(upTo write: WriteID, bug: Bug?) {
    while let batch = unsynced.first, batch.id <= write {
      unsynced.removeFirst()
      for item in batch.writes {
        if case .promised = item, bug == .promiseNotPersisted { continue }
        durable.apply(item)
      }
    }
  }
}
