import Control
import Dataplane
import Testing
import Wire

@testable import ananta_agent

@Suite struct PortOrderTests {
  /// A worker that does what it is ordered, each order once.
  private struct Worker {
    var ranges: [IPv4Address: [PortRange: Bool]] = [:]
    var next: UInt64 = 0

    mutating func carryOut(_ posted: PortOrders) {
      for (place, order) in posted.orders.enumerated() where posted.first + UInt64(place) >= next {
        next = posted.first + UInt64(place) + 1
        switch order {
        case .lease(let lease, _): ranges[lease.locator, default: [:]][lease.range] = false
        case .recall(let lease, _):
          if ranges[lease.locator]?[lease.range] != nil { ranges[lease.locator]?[lease.range] = true }
        case .end(let lease, _):
          ranges[lease.locator]?[lease.range] = nil
          if ranges[lease.locator]?.isEmpty == true { ranges[lease.locator] = nil }
        case .refuse, .repeatRequests: break
        }
      }
    }
  }

  private func entry(_ machine: UInt8, index: UInt32) -> MachineDirectory.Entry {
    let locator = IPv4Address(10, 1, 0, machine)
    return MachineDirectory.Entry(
      index: index,
      machine: HostMachine(
        name: "vm\(machine)", network: "blue", dip: locator, locator: locator,
        attachment: .networkNamespace(name: "vm\(machine)", device: "eth0")))
  }

  @Test(arguments: UInt64(0)..<40) func theWorkerHasWhatTheManagerGave(seed: UInt64) {
    let entries = (1...3).map { entry(UInt8($0), index: UInt32($0)) }
    var script = PortScript(seed: seed)
    var kept = KeptState()
    var ports = HostPorts()
    var book = PortOrderBook()
    var worker = Worker()
    for _ in 0..<200 {
      let update = script.update()
      _ = kept.apply(update)
      var orders: [PortOrder] = []
      if script.pick(4) == 0 {
        // As after a snapshot: from the difference alone.
        orders = entries.flatMap { ports.orders(for: $0, kept) }
      } else {
        for command in update.commands {
          guard let entry = entries.first(where: { $0.machine.locator == command.leaseHolder }) else {
            continue
          }
          if let order = ports.order(command, for: entry, kept) { orders.append(order) }
        }
      }
      let posted = book.add(orders, done: worker.next)
      // Some are replaced in the mailbox before the worker looks.
      if script.pick(2) == 0 { worker.carryOut(posted) }
    }
    worker.carryOut(book.add([.repeatRequests], done: worker.next))
    #expect(worker.ranges == kept.state.leases)
    #expect(book.end == worker.next)
    #expect(entries.allSatisfy { ports.orders(for: $0, kept).isEmpty })
  }

  @Test func whatWasGivenBackIsNotLeasedToTheWorkerAgain() {
    let lease = PortScript.lease(0, of: 1)
    var kept = KeptState()
    _ = kept.apply(
      Update(epoch: Epoch(1), revision: Revision(1), isSnapshot: false, commands: [.leasePortRange(lease)]))
    _ = kept.giveBack([lease])
    var ports = HostPorts()
    #expect(ports.orders(for: entry(1, index: 0), kept).isEmpty)
    #expect(ports.order(.leasePortRange(lease), for: entry(1, index: 0), kept) == nil)
  }

  @Test func aVMThatComesAnewGetsAllAgain() {
    let lease = PortScript.lease(0, of: 1)
    var kept = KeptState()
    _ = kept.apply(
      Update(epoch: Epoch(1), revision: Revision(1), isSnapshot: false, commands: [.leasePortRange(lease)]))
    var ports = HostPorts()
    #expect(ports.orders(for: entry(1, index: 4), kept).count == 1)
    #expect(ports.orders(for: entry(1, index: 4), kept).isEmpty)
    #expect(ports.orders(for: entry(1, index: 5), kept).count == 1)
    ports.forget([lease.locator])
    #expect(ports.orders(for: entry(1, index: 5), kept).count == 1)
  }

  @Test func theBoardKeepsTheOrder() async {
    let board = PortBoard()
    let leases = (0..<3).map { PortScript.lease($0, of: 1) }
    for lease in leases {
      board.giveBack(lease)
      board.ask(for: lease.locator)
    }
    for await _ in board.signals { break }
    let (requests, returned) = board.take()
    #expect(requests.map(\.locator) == leases.map(\.locator))
    #expect(returned == leases)
    #expect(board.take().requests.isEmpty)
  }
}
