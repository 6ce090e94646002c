import Control
import Manager

/// A log in memory that writes when it is told to, and counts its writes.
actor MemoryLog: ReplicatedLog {
  private(set) var entries: [Entry] = []
  private(set) var batches: [Int] = []
  private(set) var compactions: [Revision] = []
  private var epoch: UInt64 = 0
  private var isFull = false
  private var isHeld = false
  private var writers: [CheckedContinuation<Void, Never>] = []

  /// Later writes fail, or succeed again.
  func setFull(_ isFull: Bool) { self.isFull = isFull }

  /// Later writes wait.
  func hold() { isHeld = true }

  /// Those that wait go on.
  func release() {
    isHeld = false
    for writer in writers { writer.resume() }
    writers = []
  }

  func recover() -> (state: ManagerState, epoch: Epoch?) {
    epoch += 1
    var state = ManagerState()
    for entry in entries { _ = state.apply(entry, at: Revision(state.revision.number + 1)) }
    return (state, Epoch(epoch))
  }

  func append(_ entries: [Entry]) async throws(LogError) -> Revision {
    if isHeld { await withCheckedContinuation { writers.append($0) } }
    guard !isFull else { throw .cannotWrite(reason: "the disk is full; make room") }
    let first = Revision(UInt64(self.entries.count) + 1)
    self.entries += entries
    batches.append(entries.count)
    return first
  }

  func compact(_ state: ManagerState) { compactions.append(state.revision) }
}
