import Dataplane
import HostAgent
import Testing
import Wire

/// Random histories of leases, packets, time, recalls and withdrawals, beside a dictionary that says what may be.
struct PortModel: ~Copyable {
  struct Flow: Hashable {
    var machine: UInt32
    var proto: IPProtocol
    var remote: IPv4Address
    var remotePort: UInt16
    var local: UInt16
  }
  struct Outside: Hashable {
    var port: UInt16
    var proto: IPProtocol
    var remote: IPv4Address
    var remotePort: UInt16
  }
  struct Use {
    var flow: Flow
    var at: UInt32
    var isClosed = false
  }

  var bench = Bench(
    Bench.map(machines: [
      .init(index: 3, locator: locator1, dip: dip, mtu: 1480, lendsFlows: true),
      .init(index: 7, locator: locator2, dip: dip, mtu: 1480),
    ]), flowCapacity: 4096)
  var numbers: Seeded
  /// By range: whose, and whether new flows may take it.
  var leases: [SNATRange: (machine: UInt32, isUsable: Bool)] = [:]
  var recalled: Set<SNATRange> = []
  /// Since when a range has been recalled, or longer.
  var recalledAt: [SNATRange: UInt32] = [:]
  var uses: [Outside: Use] = [:]
  var held: [Int: (machine: UInt32, flow: Flow, bytes: [UInt8])] = [:]
  var faults: [String] = []
  var sent = 0
  var delivered = 0
  var rangesReturned = 0

  init(seed: UInt64) { numbers = Seeded(state: seed) }

  mutating func below(_ bound: Int) -> Int { Int(numbers.next() % UInt64(bound)) }

  mutating func step() {
    switch below(100) {
    case 0..<55: send()
    case 55..<80: answer()
    case 80..<85: bench.wait([1, 50, 3_000, 11_000][below(4)])
    case 85..<89: lease()
    case 89: recall()
    case 90: withdraw()
    case 91: bench.agent.refuse(machine: [3, 7][below(2)], now: bench.now, retryAfterMilliseconds: 500)
    case 92: if below(8) == 0 { bench.wait(250_000) }
    case 93: stray()
    default: takeAll()
    }
  }

  mutating func lease() {
    let machine: UInt32 = [3, 7][below(2)]
    let range = Bench.range(below(40))
    if let owner = leases[range], owner.machine != machine { return }
    let outcome = bench.agent.lease(range, to: machine, now: bench.now)
    if outcome == .stillEnding && bench.agent.isEndingRanges { return }
    if outcome != .made { faults.append("\(range): \(outcome)") }
    recalledAt[range] = nil
    leases[range] = (machine, true)
    while let packet = bench.agent.takeHeld() {
      guard let before = held.removeValue(forKey: packet.slot), before.machine == packet.machine else {
        faults.append("slot \(packet.slot) was not held")
        continue
      }
      judge(bench.outbound(before.bytes, from: before.machine), before.flow, before.bytes)
    }
  }

  mutating func recall() {
    guard let range = leases.keys.sorted().randomElement(using: &numbers), let owner = leases[range] else {
      return
    }
    bench.agent.recall(range, machine: owner.machine, now: bench.now)
    recalled.insert(range)
    if recalledAt[range] == nil { recalledAt[range] = bench.now }
    leases[range] = (owner.machine, false)
  }

  mutating func withdraw() {
    guard let range = leases.keys.sorted().randomElement(using: &numbers) else { return }
    end(range)
  }

  mutating func end(_ range: SNATRange) {
    guard let owner = leases.removeValue(forKey: range) else { return }
    recalledAt[range] = nil
    while !bench.agent.withdraw(range, machine: owner.machine) { _ = bench.changes() }
    uses = uses.filter { $0.key.port & ~7 != range.firstPort }
  }

  /// What a worker takes after each batch.
  mutating func takeAll() {
    _ = bench.requests()
    for change in bench.changes() where change.kind == .silent {
      _ = bench.agent.settle(change.flow, lastSeen: nil, now: bench.now)
    }
    for range in bench.returned() {
      let live = uses.filter { $0.key.port & ~7 == range.firstPort && isFresh($0.value) }
      if !live.isEmpty && !isOverdue(range) { faults.append("\(range) went back in use: \(live)") }
      rangesReturned += 1
      if below(2) == 0 { end(range) } else { leases[range]?.isUsable = false }
    }
  }

  /// Whether the range was recalled so long ago that it went back with its connections.
  func isOverdue(_ range: SNATRange) -> Bool {
    recalledAt[range].map { bench.now &- $0 >= 240_000 } ?? false
  }

  func isFresh(_ use: Use) -> Bool { bench.now &- use.at <= 9_999 }

  mutating func send() {
    let proto: IPProtocol = [.tcp, .tcp, .udp, .icmp][below(4)]
    let flow = Flow(
      machine: [3, 7][below(2)], proto: proto, remote: IPv4Address(192, 0, 2, UInt8(below(3))),
      remotePort: proto == .icmp ? 0 : UInt16(443 + below(2)), local: UInt16(5000 + below(30)))
    let flags: UInt8 = [0x02, 0x02, 0x10, 0x11, 0x14][below(5)]
    let packet = Bench.sent(proto, flags, from: flow.local, to: flow.remote, flow.remotePort)
    judge(bench.outbound(packet.bytes, from: flow.machine), flow, packet.bytes)
  }

  mutating func judge(_ fate: Fate, _ flow: Flow, _ bytes: [UInt8]) {
    if let slot = fate.slot { held[slot] = (flow.machine, flow, bytes) }
    if flow.proto == .tcp { forgetLeft(flow, but: fate.isTransmitted ? Bench.port(fate) : nil) }
    guard fate.isTransmitted else { return }
    sent += 1
    if fate.tuple.source != vip { faults.append("\(flow) left as \(fate.tuple.source)") }
    if !Reference.faults(fate.bytes).isEmpty { faults.append("\(flow): \(Reference.faults(fate.bytes))") }
    let port = Bench.port(fate)
    guard let lease = leases[SNATRange(vip: vip, holding: port)], lease.machine == flow.machine else {
      return faults.append("\(flow) left by \(port), which is not its VM's")
    }
    let outside = Outside(port: port, proto: flow.proto, remote: flow.remote, remotePort: flow.remotePort)
    if let before = uses[outside], before.flow != flow, isFresh(before) {
      faults.append("\(flow) took \(port) from \(before.flow)")
    }
    let isClean = lease.isUsable && !recalled.contains(SNATRange(vip: vip, holding: port))
    for (other, use) in uses where flow.proto == .udp && other.proto == .udp && isFresh(use) {
      let isSameSocket = use.flow.machine == flow.machine && use.flow.local == flow.local
      // A range that was recalled and leased again may have an old mapping beside a new one.
      let isUsable =
        leases[SNATRange(vip: vip, holding: other.port)]?.isUsable == true
        && !recalled.contains(SNATRange(vip: vip, holding: other.port))
      if isSameSocket && isUsable && isClean && other.port != port {
        faults.append("\(flow) has \(port) and \(other.port)")
      }
      if !isSameSocket && other.port == port { faults.append("\(flow) shares \(port) with \(use.flow)") }
    }
    uses[outside] = Use(flow: flow, at: bench.now)
  }

  /// A closed connection on a range that takes no new one ends when a SYN of its VM begins it anew elsewhere.
  mutating func forgetLeft(_ flow: Flow, but port: UInt16?) {
    uses = uses.filter { outside, use in
      use.flow != flow || outside.port == port
        || leases[SNATRange(vip: vip, holding: outside.port)]?.isUsable == true
    }
  }

  mutating func answer() {
    let all = uses.keys.sorted {
      ($0.port, $0.remote.number, $0.remotePort) < ($1.port, $1.remote.number, $1.remotePort)
    }
    guard let outside = all.randomElement(using: &numbers), let use = uses[outside] else { return }
    var packet = Packet(
      source: outside.remote, destination: vip, proto: outside.proto, sourcePort: outside.remotePort,
      destinationPort: outside.port, flags: [0x12, 0x10, 0x11, 0x14][below(4)], payload: [])
    if outside.proto == .icmp { packet.payload = Bench.echo(0, outside.port) }
    let locator = use.flow.machine == 3 ? locator1 : locator2
    let fate = bench.inbound(Packet.wrapped(packet.bytes, to: locator))
    guard let machine = fate.machine else {
      let range = SNATRange(vip: vip, holding: outside.port)
      guard isFresh(use), !isOverdue(range) else { return }
      return faults.append("the answer to \(use.flow) was dropped: \(fate.verdict)")
    }
    delivered += 1
    let local = outside.proto == .icmp ? Reference.word(fate.bytes, 24) : fate.tuple.destinationPort
    if machine != use.flow.machine || local != use.flow.local || fate.tuple.destination != dip {
      faults.append("the answer to \(use.flow) went to \(machine), \(fate.tuple)")
    }
    if !Reference.faults(fate.bytes).isEmpty { faults.append("answer: \(Reference.faults(fate.bytes))") }
    uses[outside]?.at = bench.now
  }

  /// From somebody who was never contacted.
  mutating func stray() {
    let packet = Packet(
      source: client, destination: vip, sourcePort: 443, destinationPort: UInt16(1024 + below(320)),
      flags: 0x12)
    let fate = bench.inbound(Packet.wrapped(packet.bytes, to: below(2) == 0 ? locator1 : locator2))
    if fate.machine != nil { faults.append("a stranger's packet went through") }
  }

  /// Everything recalled and silent: all ranges come back.
  mutating func finish() {
    for range in leases.keys.sorted() {
      bench.agent.recall(range, machine: leases[range]?.machine ?? 0, now: bench.now)
    }
    for _ in 0..<4 {
      bench.wait(125_000)
      for change in bench.changes() where change.kind == .silent {
        _ = bench.agent.settle(change.flow, lastSeen: nil, now: bench.now)
      }
    }
    bench.agent.repeatReturns()
    let back = bench.returned()
    if back != leases.keys.sorted() { faults.append("\(back.count) of \(leases.count) ranges came back") }
    for range in back { end(range) }
    for machine in [3, 7] as [UInt32] {
      let status = bench.agent.portStatus(machine)
      if status.ranges + status.portsInUse + status.flows + status.held > 0 {
        faults.append("left: \(status)")
      }
    }
  }
}

@Suite("Leased ports, beside a model")
struct PortModelTests {
  @Test("keep their promises in every history", arguments: 1...8)
  func histories(seed: Int) {
    var model = PortModel(seed: UInt64(seed))
    for _ in 0..<2_500 {
      model.step()
      guard model.faults.isEmpty else { break }
    }
    if model.faults.isEmpty { model.finish() }
    #expect(model.faults.isEmpty, "seed \(seed): \(model.faults)")
    #expect(model.sent > 200 && model.delivered > 30, "seed \(seed): \(model.sent), \(model.delivered)")
  }
}
