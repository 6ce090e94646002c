import Paxos

/// A disk: what is on it survives, what is on its way to it may not.
struct SimulatedDisk: Sendable {
  /// What a crash leaves.
  private(set) var durable: DurableState
  /// Batches on their way, in order.
  private var unsynced: [WriteBatch] = []
  /// When it is done with all it was given.
  private(set) var freeAt: Moment = 0
  /// It takes no writes until then.
  var fullUntil: Moment = 0

  init(_ durable: DurableState) {
    self.durable = durable
  }

  /// Takes a batch; returns when it will be on the platter.
  mutating func write(_ batch: WriteBatch, at time: Moment, taking duration: Moment) -> Moment {
    unsynced.append(batch)
    freeAt = max(freeAt, time) + duration
    return freeAt
  }

  /// It does nothing until then.
  mutating func stall(until time: Moment) {
    freeAt = max(freeAt, time)
  }

  /// It works again; the last batch that it has to catch up with.
  mutating func thaw(at time: Moment) -> WriteID? {
    freeAt = min(freeAt, time)
    return unsynced.last?.id
  }

  /// Batches up to this one are on it now.
  mutating func sync(upTo write: WriteID, bug: Bug?) {
    while let batch = unsynced.first, batch.id <= write {
      unsynced.removeFirst()
      for item in batch.writes {
        if case .promised = item, bug == .promiseNotPersisted { continue }
        durable.apply(item)
      }
    }
  }

  /// The machine falls.
  ///
  /// Of what was on its way some batches may have arrived, in order; true if some did.
  mutating func crash(_ chance: inout Chance, bug: Bug?) -> Bool {
    let last = chance.happens(perThousand: 400) ? chance.pick(unsynced) : nil
    if let last { sync(upTo: last.id, bug: bug) }
    unsynced = []
    freeAt = 0
    return last != nil
  }
}
