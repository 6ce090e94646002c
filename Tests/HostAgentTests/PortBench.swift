import Dataplane
import HostAgent
import Wire

/// Words of tests about leased ports: VM 3 has the DIP, and the VIP's ports from 1024 on.
extension Bench {
  /// When tests of time begin: anywhere, and so that the clock changes its sign, or wraps, on the way.
  static let times: [UInt32] = [1_000_000, 0x7fff_f000, 0xffff_f000]

  static func range(_ number: Int, of vip: IPv4Address = vip) -> SNATRange {
    SNATRange(vip: vip, holding: UInt16(1024 + 8 * number))
  }

  /// Some ranges of the VIP, from the one numbered `first` on.
  mutating func lease(_ count: Int, from first: Int = 0, to machine: UInt32 = 3) {
    for number in first..<(first + count) {
      agent.lease(Self.range(number), to: machine, now: now)
    }
  }

  /// What the VM sends.
  static func sent(
    _ proto: IPProtocol = .tcp, _ flags: UInt8 = 0x02, from port: UInt16 = 5000,
    to remote: IPv4Address = client,
    _ remotePort: UInt16 = 443, isPartial: Bool = false, options: [UInt8] = []
  ) -> Packet {
    if proto == .icmp {
      return Packet(source: dip, destination: remote, proto: .icmp, payload: echo(8, port))
    }
    return Packet(
      source: dip, destination: remote, proto: proto, sourcePort: port, destinationPort: remotePort,
      flags: flags, options: options, payload: proto == .tcp ? [] : [1, 2, 3], isPartial: isPartial)
  }

  static func echo(_ type: UInt8, _ identifier: UInt16) -> [UInt8] {
    var message: [UInt8] = [type, 0, 0, 0] + identifier.octets + [0, 1, 9, 8, 7]
    message.replaceSubrange(2..<4, with: (~Reference.sum(message)).octets)
    return message
  }

  /// What a remote end answers to a packet that has left.
  static func answer(_ fate: Fate, _ flags: UInt8 = 0x12, options: [UInt8] = []) -> [UInt8] {
    let tuple = fate.tuple
    var packet = Packet(
      source: tuple.destination, destination: tuple.source, proto: tuple.proto,
      sourcePort: tuple.destinationPort, destinationPort: tuple.sourcePort, flags: flags, options: options,
      payload: [])
    if tuple.proto == .icmp { packet.payload = echo(0, Reference.word(fate.bytes, 24)) }
    return Packet.wrapped(packet.bytes)
  }

  /// The leased port of what has left.
  static func port(_ fate: Fate) -> UInt16 {
    fate.tuple.proto == .icmp ? Reference.word(fate.bytes, 24) : fate.tuple.sourcePort
  }

  /// A TCP connection of the VM with its handshake; its leased port.
  mutating func establish(
    from port: UInt16 = 5000, to remote: IPv4Address = client, _ remotePort: UInt16 = 443
  ) -> Fate {
    let first = outbound(Self.sent(from: port, to: remote, remotePort).bytes)
    guard first.isTransmitted else { return first }
    _ = inbound(Self.answer(first))
    _ = outbound(Self.sent(.tcp, 0x10, from: port, to: remote, remotePort).bytes)
    return first
  }

  /// Requests that wait.
  mutating func requests() -> [UInt32] {
    var all: [UInt32] = []
    while let machine = agent.takePortRequest() { all.append(machine) }
    return all
  }

  mutating func returned() -> [SNATRange] {
    var all: [SNATRange] = []
    while let range = agent.takeReturnedRange() { all.append(range.range) }
    return all.sorted()
  }

  mutating func changes() -> [FlowChange] {
    var all: [FlowChange] = []
    while let change = agent.takeChange() { all.append(change) }
    return all
  }

  /// Lets time pass as a worker does.
  mutating func wait(_ milliseconds: UInt32) {
    let end = now &+ milliseconds
    while now != end {
      now = now &+ min(1_000, end &- now)
      for _ in 0..<32 { agent.sweep(now: now, budget: 2_048) }
    }
  }
}
