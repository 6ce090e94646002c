import Control
import Dataplane
import Testing
import Wire

@testable import ananta_agent

@Suite struct PortOrderTests {
  /// A worker that does what it is ordered, each order once, and gives ranges back.
  private struct Worker {
    /// By the VM's index.
    var machines: [UInt32: IPv4Address] = [:]
    var ranges: [IPv4Address: [PortRange: Bool]] = [:]
    var returned: Set<PortLease> = []
    var next: UInt64 = 0

    mutating func carryOut(_ posted: PortOrders) {
      for (place, order) in posted.orders.enumerated() where posted.first + UInt64(place) >= next {
        next = posted.first + UInt64(place) + 1
        carryOut(order)
      }
    }

    private mutating func carryOut(_ order: PortOrder) {
      switch order {
      case .lease(let lease, let machine):
        guard machines[machine] == lease.locator, !returned.contains(lease) else { return }
        ranges[lease.locator, default: [:]][lease.range] = false
      case .recall(let lease, let machine):
        guard machines[machine] == lease.locator, has(lease) else { return }
        ranges[lease.locator]?[lease.range] = true
      case .end(let lease, let machine):
        guard machines[machine] == lease.locator else { return }
        returned.remove(lease)
        drop(lease)
      case .refuse, .repeatRequests: break
      }
    }

    func has(_ lease: PortLease) -> Bool { ranges[lease.locator]?[lease.range] != nil }

    mutating func giveBack(_ lease: PortLease) {
      returned.insert(lease)
      drop(lease)
    }

    /// Its VM has gone, and with it all that is known of its ranges.
    mutating func release(_ index: UInt32) {
      guard let locator = machines.removeValue(forKey: index) else { return }
      ranges[locator] = nil
      returned = returned.filter { $0.locator != locator }
    }

    private mutating func drop(_ lease: PortLease) {
      ranges[lease.locator]?[lease.range] = nil
      if ranges[lease.locator]?.isEmpty == true { ranges[lease.locator] = nil }
    }
  }

  /// The control side of one worker, as `NodeLink` and `HostRole` are together.
  private struct Node {
    var kept = KeptState()
    /// What `HostRole` has of it: not what was given back since the last update.
    var known = KeptState()
    let board = PortBoard()
    var ports = HostPorts()
    var book = PortOrderBook()
    var worker = Worker()
    var entries: [MachineDirectory.Entry] = []
    private var nextIndex: UInt32 = 0

    init(machines: [HostMachine]) {
      for machine in machines { add(machine) }
    }

    mutating func take(_ update: Update) {
      let before = kept.returned
      _ = kept.apply(update)
      if kept.returned != before { board.keep(kept.returned) }
      known = kept
    }

    mutating func takeReturns() {
      let (_, returned) = board.take()
      _ = kept.giveBack(returned)
      if !kept.returned.isSuperset(of: returned) { board.keep(kept.returned) }
    }

    /// A VM whose device was replaced: its worker lets go of it before it gets it anew.
    mutating func replace(_ place: Int) {
      let entry = entries.remove(at: place)
      ports.forget([entry.machine.locator])
      worker.release(entry.index)
      worker.carryOut(book.add([], done: worker.next))
      add(entry.machine)
      worker.carryOut(book.add(differences(), done: worker.next))
    }

    mutating func differences() -> [PortOrder] {
      entries.flatMap { ports.orders(for: $0, known, board) }
    }

    private mutating func add(_ machine: HostMachine) {
      entries.append(MachineDirectory.Entry(index: nextIndex, machine: machine))
      worker.machines[nextIndex] = machine.locator
      nextIndex += 1
    }

    /// What the worker must have in the end.
    var leases: [IPv4Address: [PortRange: Bool]] {
      var leases = kept.state.leases
      for lease in kept.returned {
        leases[lease.locator]?[lease.range] = nil
        if leases[lease.locator]?.isEmpty == true { leases[lease.locator] = nil }
      }
      return leases
    }
  }

  private func machine(_ machine: UInt8) -> HostMachine {
    let locator = IPv4Address(10, 1, 0, machine)
    return HostMachine(
      name: "vm\(machine)", network: "blue", dip: locator, locator: locator,
      attachment: .networkNamespace(name: "vm\(machine)", device: "eth0"))
  }

  private func entry(_ machine: UInt8, index: UInt32) -> MachineDirectory.Entry {
    MachineDirectory.Entry(index: index, machine: self.machine(machine))
  }

  /// What the manager may say: it ends nothing that was not given back.
  private func believable(_ update: Update, _ kept: KeptState) -> Update {
    let commands = update.commands.filter { command in
      if case .endPortRange(let lease) = command { kept.returned.contains(lease) } else { true }
    }
    return Update(epoch: update.epoch, revision: update.revision, isSnapshot: false, commands: commands)
  }

  @Test(arguments: UInt64(0)..<60) func theWorkerHasWhatTheManagerGave(seed: UInt64) {
    var script = PortScript(seed: seed)
    var node = Node(machines: (1...3).map { machine(UInt8($0)) })
    for _ in 0..<400 {
      if script.pick(2) == 0 {
        let lease = script.lease()
        if node.worker.has(lease) {
          node.worker.giveBack(lease)
          node.board.giveBack(lease)
        }
      }
      if script.pick(2) == 0 { node.takeReturns() }
      if script.pick(8) == 0 { node.replace(Int(script.pick(3))) }
      #expect(!node.kept.returned.contains(where: node.worker.has), "what was given back is not used")
      let update = believable(script.update(), node.kept)
      node.take(update)
      var orders: [PortOrder] = []
      for command in update.commands {
        guard let entry = node.entries.first(where: { $0.machine.locator == command.leaseHolder }) else {
          continue
        }
        if let order = node.ports.order(command, for: entry, node.known, node.board) { orders.append(order) }
      }
      // As when there was more in the update than ports.
      if script.pick(4) == 0 { orders += node.differences() }
      let posted = node.book.add(orders, done: node.worker.next)
      // Some are replaced in the mailbox before the worker looks.
      if script.pick(2) == 0 { node.worker.carryOut(posted) }
    }
    node.worker.carryOut(node.book.add([.repeatRequests], done: node.worker.next))
    node.takeReturns()
    #expect(node.worker.ranges == node.leases)
    #expect(node.book.end == node.worker.next)
    #expect(node.differences().isEmpty)
  }

  @Test func whatWasGivenBackIsNotLeasedToTheWorkerAgain() {
    let lease = PortScript.lease(0, of: 1)
    var kept = KeptState()
    _ = kept.apply(
      Update(epoch: Epoch(1), revision: Revision(1), isSnapshot: false, commands: [.leasePortRange(lease)]))
    _ = kept.giveBack([lease])
    var ports = HostPorts()
    #expect(ports.orders(for: entry(1, index: 0), kept, PortBoard()).isEmpty)
    #expect(ports.order(.leasePortRange(lease), for: entry(1, index: 0), kept, PortBoard()) == nil)
  }

  @Test func aVMThatComesAnewGetsAllAgain() {
    let lease = PortScript.lease(0, of: 1)
    var kept = KeptState()
    _ = kept.apply(
      Update(epoch: Epoch(1), revision: Revision(1), isSnapshot: false, commands: [.leasePortRange(lease)]))
    var ports = HostPorts()
    #expect(ports.orders(for: entry(1, index: 4), kept, PortBoard()).count == 1)
    #expect(ports.orders(for: entry(1, index: 4), kept, PortBoard()).isEmpty)
    #expect(ports.orders(for: entry(1, index: 5), kept, PortBoard()).count == 1)
    ports.forget([lease.locator])
    #expect(ports.orders(for: entry(1, index: 5), kept, PortBoard()).count == 1)
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
