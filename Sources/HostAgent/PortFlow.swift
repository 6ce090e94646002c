import Wire

/// What a leased port is used with.
enum PortProtocol {
  @inline(always) static var tcp: UInt8 { 0 }
  @inline(always) static var udp: UInt8 { 1 }
  /// ICMP echo, whose identifier is the port; the remote port is 0.
  @inline(always) static var echo: UInt8 { 2 }
  /// That of mappings and of no packet, so that none finds one, whatever its ends are; keys have two bits for it.
  @inline(always) static var mapping: UInt8 { 3 }
}

/// A connection that a VM has opened by a leased port, found from both sides by chains: one cache line.
///
/// A VM's UDP port has the same leased port towards everybody. That is a record of its own, a *mapping*, with no remote
/// end and a protocol of its own; it lives as long as one of its flows.
struct PortFlow: BitwiseCopyable {
  /// The remote end has sent something.
  @inline(always) static var answered: UInt8 { 0x01 }
  /// Both ends have shown that they know of it.
  @inline(always) static var established: UInt8 { 0x02 }
  @inline(always) static var finIn: UInt8 { 0x04 }
  @inline(always) static var finOut: UInt8 { 0x08 }
  @inline(always) static var reset: UInt8 { 0x10 }
  /// The kernel has been asked to carry it.
  @inline(always) static var lent: UInt8 { 0x20 }
  @inline(always) static var mapping: UInt8 { 0x40 }
  /// A mapping whose range was recalled: it takes no new flow, and its VM's port may have another one.
  @inline(always) static var retired: UInt8 { 0x80 }

  var remote: IPv4Address
  var remotePort: UInt16
  /// The VM's.
  var localPort: UInt16
  /// The number of the lease, and in the lowest three bits which of its ports.
  var port: UInt32
  var lastSeen: UInt32
  /// `.max`: the record is empty.
  var machine: UInt16
  var proto: UInt8
  var state: UInt8
  var outNext: UInt32 = 0
  var inNext: UInt32 = 0
  var rangeNext: UInt32 = 0
  var rangePrevious: UInt32 = 0
  var shortNext: UInt32 = 0
  var shortPrevious: UInt32 = 0
  /// When it was put into the list of flows that live briefly.
  var shortSince: UInt32 = 0
  /// Of a flow of UDP its mapping, of a mapping how many flows it has.
  var mapping: UInt32 = 0
  /// 1: it is in that list.
  var isListed: UInt32 = 0
  private var padding: (UInt32, UInt32) = (0, 0)

  @inline(always) init(
    machine: Int, proto: UInt8, remote: IPv4Address, remotePort: UInt16, localPort: UInt16, port: UInt32,
    now: UInt32
  ) {
    self.remote = remote
    self.remotePort = remotePort
    self.localPort = localPort
    self.port = port
    lastSeen = now
    self.machine = UInt16(truncatingIfNeeded: machine)
    self.proto = proto
    state = 0
  }

  @inline(always) static var empty: PortFlow {
    PortFlow(
      machine: 0xffff, proto: 0, remote: .any, remotePort: 0, localPort: 0, port: 0, now: 0)
  }

  @inline(always) func has(_ bits: UInt8) -> Bool { state & bits == bits }
  @inline(always) var isEmpty: Bool { machine == .max }
  @inline(always) var isMapping: Bool { state & Self.mapping != 0 }
  @inline(always) var isLent: Bool { state & Self.lent != 0 }
  @inline(always) var isClosed: Bool { state & Self.reset != 0 || has(Self.finIn | Self.finOut) }
  /// Whether the kernel could carry it.
  @inline(always) var isKnown: Bool {
    state & Self.established != 0 && !isClosed && proto != PortProtocol.echo
  }
  /// Whether it lives for seconds only: a TCP connection that is not established yet, or no more.
  @inline(always) var isShort: Bool {
    proto == PortProtocol.tcp && (state & Self.established == 0 || isClosed) && !isLent
  }
  /// The number of its lease.
  @inline(always) var lease: Int { Int(port &>> 3) }

  /// How long it may be silent.
  @inline(always) var patience: UInt32 {
    if proto == PortProtocol.udp { return Limits.portUDPMilliseconds }
    if proto == PortProtocol.echo { return Limits.portEchoMilliseconds }
    if isClosed { return Limits.closedMilliseconds }
    return state & Self.established != 0 ? Limits.portTCPMilliseconds : Limits.halfOpenMilliseconds
  }

  @inline(always) func isExpired(now: UInt32) -> Bool {
    Int64(Int32(bitPattern: now &- lastSeen)) > Int64(patience)
  }

  /// Notes a packet from the VM; a SYN on a closed connection begins another one.
  @inline(always) mutating func sawOutbound(_ flags: TCPFlags, now: UInt32) {
    lastSeen = now
    guard proto == PortProtocol.tcp else { return }
    if flags.has(.syn) {
      if isClosed { state &= Self.lent }
      return
    }
    if state & Self.answered != 0 && !flags.has(.rst) { state |= Self.established }
    if flags.has(.fin) { state |= Self.finOut }
    if flags.has(.rst) { state |= Self.reset }
  }

  /// Notes a packet from the remote end.
  @inline(always) mutating func sawInbound(_ flags: TCPFlags, now: UInt32) {
    lastSeen = now
    state |= Self.answered
    guard proto == PortProtocol.tcp else {
      state |= Self.established
      return
    }
    if flags.has(.fin) { state |= Self.finIn }
    if flags.has(.rst) { state |= Self.reset }
  }
}
