internal import Control
internal import Synchronization
internal import Wire

/// What the host's workers have to say of leased ports, on its way to the manager.
final class PortBoard: Sendable {
  private struct Waiting {
    var requests: [PortRequest] = []
    var returned: [PortLease] = []
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
    waiting.withLock { $0.returned.append(lease) }
    outlet.yield()
  }

  /// What was said since the last time, in order.
  func take() -> (requests: [PortRequest], returned: [PortLease]) {
    waiting.withLock { all in
      defer { all = Waiting() }
      return (all.requests, all.returned)
    }
  }
}
