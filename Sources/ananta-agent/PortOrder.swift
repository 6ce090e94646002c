internal import Control
internal import Wire

/// What a worker is to do about the leased ports of a VM, which it knows by its index.
///
/// The locator goes with it: an order that comes when the index has become another VM's is not for that one.
enum PortOrder: Sendable {
  /// The VM may use the range; a recall is over.
  case lease(PortLease, machine: UInt32)
  /// No new connection takes the range.
  case recall(PortLease, machine: UInt32)
  /// The range is not the VM's any more.
  case end(PortLease, machine: UInt32)
  /// The VM gets no more for now.
  case refuse(PortRefusal, machine: UInt32)
  /// What is asked for is to be asked for again.
  case repeatRequests
}

/// Orders in a row, of which the worker may have carried out the first ones already.
final class PortOrders: Sendable {
  /// The number of the first one; they are numbered from the worker's first on.
  let first: UInt64
  let orders: [PortOrder]

  init(first: UInt64, _ orders: [PortOrder]) {
    self.first = first
    self.orders = orders
  }
}

/// The control side's half: keeps orders until the worker has carried them out.
///
/// A mailbox keeps its newest content only, so each one has all that may not have been taken yet.
struct PortOrderBook {
  private var first: UInt64 = 0
  private var waiting: [PortOrder] = []

  /// The number of the next order.
  var end: UInt64 { first + UInt64(waiting.count) }

  /// Adds orders; all that the worker may not have seen, when it has carried out those before `done`.
  mutating func add(_ orders: [PortOrder], done: UInt64) -> PortOrders {
    let count = Int(min(max(done, first) - first, UInt64(waiting.count)))
    waiting.removeFirst(count)
    first += UInt64(count)
    waiting += orders
    return PortOrders(first: first, waiting)
  }
}
