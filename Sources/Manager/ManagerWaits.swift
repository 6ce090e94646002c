import Control

/// Operators who follow a revision, in a manager.
extension Manager {
  mutating func wait(_ id: RequestID, _ revision: Revision) -> [Output] {
    guard !waits.isFull else {
      let reason = "\(Limits.waits) operators are waiting"
      return [.fail(id, .overloaded(reason: reason, retryAfterMilliseconds: Limits.waitRetryMilliseconds))]
    }
    guard epoch != nil else { return [.fail(id, .notPrimary(address: primaryAddress))] }
    var outputs = waits.begin(id, revision, progress)
    // Nodes that ports alone have left behind are told now.
    for session in streams.keys.sorted() { outputs += push(session) }
    return outputs
  }

  mutating func endWait(_ id: RequestID) -> [Output] {
    waits.end(id)
    return []
  }

  mutating func updateWaits() -> [Output] {
    guard !waits.isEmpty else { return [] }
    let progress = progress
    return waits.update(progress)
  }

  private var progress: Waits.Progress {
    let names = state.desired.nodes.values.filter(\.runsDataPath).map(\.name).sorted()
    return Waits.Progress(
      nodes: names.map { ($0, nodes[$0]?.revision ?? Revision(0)) }, committed: state.revision)
  }
}
