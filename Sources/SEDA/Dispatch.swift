/// What a driver does next with a piece of work; each that was admitted is dispatched exactly once.
public enum Dispatch<Key: Hashable & Sendable, Payload: Sendable>: Sendable {
  /// A worker runs it now, then `StageScheduler.finished` is called with its ticket.
  case run(Work<Key, Payload>)
  /// It waited too long: who asked is told so. It takes no worker, and `finished` is not called.
  case expired(Work<Key, Payload>)
}

extension Dispatch: Equatable where Payload: Equatable {}
