import Dataplane
import HostAgent
import Wire

/// An input is a row of packets, each behind 14 bytes.
///
/// ```
///  0         1          2        4                  14
///  | control | repeats  | length | offload header   | packet, of `length` bytes or up to the end
///  control: from a VM | encapsulate or answer a probe | VM, 2 bits | repair checksum | time step, 3 bits
///  repeats: congestion bits of the outer header, 2 bits | how often it comes, 6 bits
/// ```
/// Each time that it is repeated its sequence number goes on, so that it can be coalesced.
struct Target: ~Copyable {
  private static let mux = IPv4Address(10, 0, 0, 1)
  private static let machines = [0, 1, 700, 1023].enumerated().map { number, index in
    HostMap.Machine(
      index: UInt32(index), locator: IPv4Address(10, 1, 0, UInt8(1 + number)),
      dip: IPv4Address(192, 168, 0, UInt8(2 + number)), mtu: 1_480)
  }
  /// The time that passes before a packet: none, some, more than each of the time-outs; backwards as well.
  private static let steps: [UInt32] = [0, 1, 0, 100, 3_000, 10_001, 60_001, ~0]

  private var agent = HostAgent(flowCapacity: 64, seed: 42)
  private var monitor = HealthMonitor(seed: 42)
  private var coalescer = Coalescer()
  private let gathered = FuzzedPacket([UInt8](repeating: 0, count: 65_535))
  /// Lengths of the packets in it.
  private var joined: [Int] = []
  /// The last probe that each VM was sent.
  private var probes: [UInt32: [UInt8]] = [:]
  private var now: UInt32 = ~0 - 100_000
  private var milliseconds: UInt64 = 0
  private var runs = 0
  private let maps: [HostMap]

  init() {
    guard let map = try? Target.map(machines: 4, ports: [80, 443]),
      let smaller = try? Target.map(machines: 3, ports: [80])
    else { preconditionFailure("the target's endpoints make a map") }
    maps = [map, smaller]
  }

  /// Two ports share one of the VM's, so that a reply without a flow does not tell which was meant.
  private static func map(machines count: Int, ports: [UInt16]) throws(HostMapError) -> HostMap {
    let machines = [HostMap.Machine](machines.prefix(count))
    let vip = IPv4Address(203, 0, 113, 10)
    func endpoint(_ machine: HostMap.Machine, _ proto: IPProtocol, _ port: UInt16, _ backendPort: UInt16)
      -> HostMap.Endpoint
    {
      HostMap.Endpoint(
        machine: machine.index, vip: vip, proto: proto, port: port, backendPort: backendPort,
        idleMilliseconds: 60_000)
    }
    return try HostMap(
      muxes: [mux], machines: machines,
      endpoints: machines.flatMap { machine in
        ports.map { endpoint(machine, .tcp, $0, 8080) } + [endpoint(machine, .udp, 53, 53)]
      })
  }

  mutating func run(_ data: Input) {
    if runs & 4_095 == 0 {
      agent.adopt(maps[runs >> 12 & 1])
      monitorEveryMachine()
    }
    runs += 1
    var input = data
    while !input.isEmpty { take(&input) }
    flush()
    agent.sweep(now: now, budget: 8)
  }

  private mutating func take(_ input: inout Input) {
    let control = input.byte()
    let repeats = input.byte()
    let length = input.word()
    let offload = input.offload()
    var bytes = input.bytes(min(length, 65_000))
    let machine = Target.machines[control >> 2 & 3]
    let step = Target.steps[control >> 5]
    now &+= step
    milliseconds += UInt64(step == ~0 ? 0 : step)
    let isFromMachine = control & 1 == 1
    if isFromMachine && control & 2 == 2 { answerProbe(&bytes, of: machine) }
    for _ in 0...(repeats & 63) {
      if control & 16 == 16 { repairHeaderChecksum(&bytes) }
      if isFromMachine {
        send(bytes, offload, from: machine)
      } else if control & 2 == 2 {
        receive(Target.wrap(bytes, for: machine.locator, service: UInt8(repeats >> 6)), offload)
      } else {
        receive(bytes, offload)
      }
      let data = bytes.count - 20 - Int(bytes.number(at: 32, as: UInt8.self) >> 4) * 4
      bytes.store(bytes.number(at: 24, as: UInt32.self) &+ UInt32(max(0, data)), at: 24)
    }
    perform(monitor.handle(.tick, now: milliseconds))
  }

  /// Puts the outer header of a known MUX before a packet.
  private static func wrap(_ inner: [UInt8], for locator: IPv4Address, service: UInt8) -> [UInt8] {
    var packet: [UInt8] = [0x45, service, 0, 0, 0, 0, 0x40, 0, 64, 4] + [UInt8](repeating: 0, count: 10)
    packet.store(UInt16(20 + inner.count), at: 2)
    packet.store(mux.number, at: 12)
    packet.store(locator.number, at: 16)
    repairHeaderChecksum(&packet)
    return packet + inner
  }

  // MARK: Towards the VMs

  private mutating func receive(_ bytes: [UInt8], _ request: Offload) {
    var offload = request
    let packet = FuzzedPacket(bytes)
    guard
      case .deliver(let index, let offset, let byteCount) = agent.inbound(
        packet.span, byteCount: packet.byteCount, offload: &offload, now: now)
    else { return }
    guard let machine = Target.machines.first(where: { $0.index == index }) else {
      preconditionFailure("delivers to a VM that is none")
    }
    precondition(offset == 20 && offset + byteCount <= packet.byteCount, "delivers bytes that were not there")
    precondition(packet.isPacket(at: offset, count: byteCount), "delivers what is no packet")
    let delivered = packet.bytes(from: offset, count: byteCount)
    precondition(delivered.number(at: 16, as: UInt32.self) == machine.dip.number, "delivers to another DIP")
    if join(packet, offset, byteCount, offload, index) { return }
    precondition(
      packet.bytes(from: offset, count: byteCount) == delivered, "changes a packet that it does not take")
    packet.segment(offset: offset, byteCount: byteCount, offload: offload)
  }

  /// As a worker does it; false: to be written by itself.
  private mutating func join(
    _ packet: borrowing FuzzedPacket, _ offset: Int, _ byteCount: Int, _ offload: Offload, _ machine: UInt32
  ) -> Bool {
    for _ in 0..<2 {
      let answer = coalescer.offer(
        packet.span, offset: offset, byteCount: byteCount, offload: offload, machine: machine,
        into: gathered.span)
      switch answer {
      case .joined:
        joined.append(byteCount)
        return true
      case .conflict: flush()
      case .unsuitable:
        flush()
        return false
      }
    }
    return false
  }

  /// What was joined comes apart into packets as many and as long as they were.
  private mutating func flush() {
    guard let taken = coalescer.take(gathered.span) else {
      precondition(joined.isEmpty, "keeps what was joined")
      return
    }
    precondition(gathered.isPacket(at: 0, count: taken.byteCount), "joins to what is no packet")
    // Asked now: headers of later segments are laid over those of the first.
    let headers = 20 + Int(gathered.bytes(from: 32, count: 1)[0] >> 4) * 4
    let count = gathered.segment(offset: 0, byteCount: taken.byteCount, offload: taken.offload)
    precondition(count == joined.count, "\(joined.count) packets become \(count)")
    let total = joined.reduce(0, +) - (count - 1) * headers
    precondition(total == taken.byteCount, "\(total) bytes become \(taken.byteCount)")
    joined = []
  }

  // MARK: From the VMs

  private mutating func send(_ bytes: [UInt8], _ request: Offload, from machine: HostMap.Machine) {
    var offload = request
    let packet = FuzzedPacket(bytes)
    let verdict = agent.outbound(
      packet.span, byteCount: packet.byteCount, from: machine.index, offload: &offload, now: now)
    switch verdict {
    case .transmit(let offset, let byteCount):
      precondition(offset == 0 && byteCount <= packet.byteCount, "sends bytes that were not there")
      precondition(packet.isPacket(at: 0, count: byteCount), "sends what is no packet")
      let source = packet.bytes(from: 12, count: 4)
      precondition(source == [203, 0, 113, 10], "sends from an address that is no VIP")
      packet.segment(offset: offset, byteCount: byteCount, offload: offload)
    case .pass:
      perform(monitor.handle(.packet(bytes, from: machine.index), now: milliseconds))
    case .drop: break
    case .deliver: preconditionFailure("delivers what a VM sent")
    }
  }

  // MARK: Probes

  private mutating func monitorEveryMachine() {
    let targets = Target.machines.enumerated().map { number, machine in
      ProbeTarget(
        id: UInt32(number), machine: machine.index, locator: machine.locator, dip: machine.dip,
        vip: IPv4Address(203, 0, 113, 10), proto: .tcp, vipPort: 80,
        method: number == 0 ? .tcp : .http(path: "/health"), port: 8080, intervalMilliseconds: 3_000,
        timeoutMilliseconds: 1_000, threshold: 2)
    }
    perform(monitor.handle(.configure(targets), now: milliseconds))
  }

  private mutating func perform(_ outputs: [HealthMonitor.Output]) {
    for case .transmit(let machine, let packet) in outputs { probes[machine] = packet }
  }

  /// Makes a segment one that the VM's last probe is waiting for, but for flags and data.
  private func answerProbe(_ bytes: inout [UInt8], of machine: HostMap.Machine) {
    guard let probe = probes[machine.index] else { return }
    bytes.store(machine.dip.number, at: 12)
    bytes.store(HostAgent.probeSource.number, at: 16)
    bytes.store(probe.number(at: 22, as: UInt16.self), at: 20)
    bytes.store(probe.number(at: 20, as: UInt16.self), at: 22)
    let isFirst = probe.number(at: 33, as: UInt8.self) & 2 != 0
    if !isFirst { bytes.store(probe.number(at: 28, as: UInt32.self), at: 24) }
    let data = UInt32(max(0, probe.count - 20 - Int(probe.number(at: 32, as: UInt8.self) >> 4) * 4))
    bytes.store(probe.number(at: 24, as: UInt32.self) &+ data &+ (isFirst ? 1 : 0), at: 28)
    guard bytes.count >= 40, bytes[9] == 6 else { return }
    bytes.store(UInt16(0), at: 36)
    var pseudoHeader = [UInt8](bytes[12..<20]) + [0, 6, 0, 0]
    pseudoHeader.store(UInt16(bytes.count - 20), at: 10)
    bytes.store(~(pseudoHeader + bytes[20...]).internetSum, at: 36)
  }
}
