internal import Control
internal import Synchronization
internal import Wire

/// What the host's workers have to say of leased ports, on its way to the manager.
final class PortBoard: Sendable {
  private struct Waiting {
    var requests: [PortRequest] = []
    var returned: [PortLease] = []
    /// All that was given back and is not ended, also what was taken from here.
    var givenBack: Set<PortLease> = []
  }

  /// Yields when there is something to `take`.
  let signals: AsyncStream<Void>
  private let outlet: AsyncStream<Void>.Continuation
  private let waiting = Mutex(Waiting())

  init() { (signals, outlet) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

  /// A VM needs more ports than it has; any thread may call.
  func ask(for locator: IPv4Address) {
    waiting.withLock { $0.requests.append(PortRequest(locator: locator)) }
    outlet.yield()
  }

  /// A worker uses a range no more; any thread may call.
  func giveBack(_ lease: PortLease) {
    waiting.withLock {
      $0.returned.append(lease)
      $0.givenBack.insert(lease)
    }
    outlet.yield()
  }

  /// What was said since the last time, in order.
  func take() -> (requests: [PortRequest], returned: [PortLease]) {
    waiting.withLock { all in
      defer {
        all.requests = []
        all.returned = []
      }
      return (all.requests, all.returned)
    }
  }

  /// Whether a worker has promised not to use the range, and nothing has ended that promise.
  ///
  /// It holds from the moment in which the worker gives the range back: by what the control side knows of it a
  /// little later, the worker of a VM that comes anew would be told to use it again.
  func isGivenBack(_ lease: PortLease) -> Bool { waiting.withLock { $0.givenBack.contains(lease) } }

  /// Promises end that were taken from here and are not among these.
  func keep(_ returned: Set<PortLease>) {
    waiting.withLock { $0.givenBack = returned.union($0.returned) }
  }
}
