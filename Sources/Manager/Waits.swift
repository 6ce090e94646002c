import Control

/// Operators who follow a revision.
struct Waits {
  private var waits: [(id: RequestID, progress: WaitProgress)] = []

  var isEmpty: Bool { waits.isEmpty }
  var isFull: Bool { waits.count >= Limits.waits }
  /// The newest revision that somebody follows.
  var newest: Revision { waits.map(\.progress.revision).max() ?? Revision(0) }

  /// Begins to follow.
  mutating func begin(_ id: RequestID, _ revision: Revision, _ progress: Progress) -> [Output] {
    let first = progress(of: revision)
    guard !progress.isComplete(first) else { return [.progress(id, first), .endWait(id)] }
    waits.append((id, first))
    return [.progress(id, first)]
  }

  /// The operator has gone.
  mutating func end(_ id: RequestID) { waits.removeAll { $0.id == id } }

  /// None of them can be followed here any longer.
  mutating func abandon(_ error: ManagementError) -> [Output] {
    let ended = waits.map { Output.fail($0.id, error) }
    waits = []
    return ended
  }

  /// Something has moved: tells those whom it concerns.
  mutating func update(_ progress: Progress) -> [Output] {
    var outputs: [Output] = []
    var ended: Set<RequestID> = []
    for index in waits.indices {
      let (id, old) = waits[index]
      let new = progress(of: old.revision)
      if new != old {
        waits[index].progress = new
        outputs.append(.progress(id, new))
      }
      if progress.isComplete(new) {
        ended.insert(id)
        outputs.append(.endWait(id))
      }
    }
    waits.removeAll { ended.contains($0.id) }
    return outputs
  }

  /// Which revision each host and MUX runs.
  struct Progress {
    /// Sorted by name.
    let nodes: [(name: String, revision: Revision)]
    let committed: Revision

    func callAsFunction(of revision: Revision) -> WaitProgress {
      WaitProgress(
        revision: revision, acknowledged: nodes.filter { $0.revision >= revision }.map(\.name),
        pending: nodes.filter { $0.revision < revision }.map(\.name))
    }

    func isComplete(_ progress: WaitProgress) -> Bool {
      progress.pending.isEmpty && committed >= progress.revision
    }
  }
}
