public import Wire

/// A connection of a VM that both sides know of: all that is needed to carry its packets.
///
/// The agent tells the kernel of it, which looks it up by `InboundFlowKey` and `OutboundFlowKey`.
public struct KnownFlow: Hashable, BitwiseCopyable, Sendable {
  /// The VM, by its index.
  public var machine: UInt32
  /// Its underlay address.
  public var locator: IPv4Address
  /// Its own address.
  public var dip: IPv4Address
  /// What the remote end knows it by.
  public var vip: IPv4Address
  /// The other end.
  public var remote: IPv4Address
  /// The other end's.
  public var remotePort: UInt16
  /// At the VIP.
  public var vipPort: UInt16
  /// At the DIP.
  public var backendPort: UInt16
  /// TCP or UDP.
  public var proto: IPProtocol

  /// Joins them.
  @inline(always) public init(
    machine: UInt32, locator: IPv4Address, dip: IPv4Address, vip: IPv4Address, vipPort: UInt16,
    backendPort: UInt16, remote: IPv4Address, remotePort: UInt16, proto: IPProtocol
  ) {
    self.machine = machine
    self.locator = locator
    self.dip = dip
    self.vip = vip
    self.vipPort = vipPort
    self.backendPort = backendPort
    self.remote = remote
    self.remotePort = remotePort
    self.proto = proto
  }
}

/// What names a known flow in a packet from a MUX.
public struct InboundFlowKey: Hashable, BitwiseCopyable, Sendable {
  /// The outer destination.
  public let locator: IPv4Address
  /// The inner source.
  public let remote: IPv4Address
  /// The inner destination.
  public let vip: IPv4Address
  /// The inner source port.
  public let remotePort: UInt16
  /// The inner destination port.
  public let vipPort: UInt16
  /// TCP or UDP, in 32 bits, so that no byte is undefined.
  public let proto: UInt32

  /// Joins them.
  @inline(always) public init(
    locator: IPv4Address, remote: IPv4Address, remotePort: UInt16, vip: IPv4Address, vipPort: UInt16,
    proto: IPProtocol
  ) {
    self.locator = locator
    self.remote = remote
    self.vip = vip
    self.remotePort = remotePort
    self.vipPort = vipPort
    self.proto = UInt32(proto.rawValue)
  }
}

/// What names a known flow in a packet from a VM.
public struct OutboundFlowKey: Hashable, BitwiseCopyable, Sendable {
  /// The node's end of the VM's device, by its number.
  public let device: UInt32
  /// The destination.
  public let remote: IPv4Address
  /// The destination port.
  public let remotePort: UInt16
  /// The source port.
  public let backendPort: UInt16
  /// TCP or UDP, in 32 bits, so that no byte is undefined.
  public let proto: UInt32

  /// Joins them.
  @inline(always) public init(
    device: UInt32, remote: IPv4Address, remotePort: UInt16, backendPort: UInt16, proto: IPProtocol
  ) {
    self.device = device
    self.remote = remote
    self.remotePort = remotePort
    self.backendPort = backendPort
    self.proto = UInt32(proto.rawValue)
  }
}

/// What becomes of a packet from a MUX.
public struct InboundFlow: BitwiseCopyable, Sendable {
  /// The new destination.
  public var dip: IPv4Address
  /// The node's end of the VM's device, by its number.
  public var device: UInt32
  /// The VM's index, for its counters.
  public var machine: UInt32
  /// The time of the last packet in milliseconds, written by the program.
  public var lastSeen: UInt32
  /// The new destination port.
  public var backendPort: UInt16
  /// Always 0.
  public var padding: UInt16

  /// For a flow to a VM behind a device.
  @inline(always) public init(_ flow: KnownFlow, device: UInt32, lastSeen: UInt32) {
    dip = flow.dip
    self.device = device
    machine = flow.machine
    self.lastSeen = lastSeen
    backendPort = flow.backendPort
    padding = 0
  }
}

/// What becomes of a packet from a VM.
public struct OutboundFlow: BitwiseCopyable, Sendable {
  /// The source that it must have.
  public var dip: IPv4Address
  /// The new source.
  public var vip: IPv4Address
  /// The VM's index, for its counters.
  public var machine: UInt32
  /// The time of the last packet in milliseconds, written by the program.
  public var lastSeen: UInt32
  /// The new source port.
  public var vipPort: UInt16
  /// Always 0.
  public var padding: UInt16
  /// Always 0.
  public var morePadding: UInt32
  /// A `FlowExit`; written by the program, 0 at first.
  public var exit: UInt64

  /// For a flow from a VM.
  @inline(always) public init(_ flow: KnownFlow, lastSeen: UInt32) {
    dip = flow.dip
    vip = flow.vip
    machine = flow.machine
    self.lastSeen = lastSeen
    vipPort = flow.vipPort
    padding = 0
    morePadding = 0
    exit = 0
  }
}

extension KnownFlow {
  /// By which packets from MUXes find it.
  @inline(always) public var inboundKey: InboundFlowKey {
    InboundFlowKey(
      locator: locator, remote: remote, remotePort: remotePort, vip: vip, vipPort: vipPort, proto: proto)
  }

  /// By which the VM's packets find it, when they come by a device.
  @inline(always) public func outboundKey(device: UInt32) -> OutboundFlowKey {
    OutboundFlowKey(
      device: device, remote: remote, remotePort: remotePort, backendPort: backendPort, proto: proto)
  }

  /// What the kernel's map says by itself: a flow that an agent before this one has left.
  @inline(always) public init(_ key: InboundFlowKey, _ value: InboundFlow) {
    self.init(
      machine: value.machine, locator: key.locator, dip: value.dip, vip: key.vip, vipPort: key.vipPort,
      backendPort: value.backendPort, remote: key.remote, remotePort: key.remotePort,
      proto: IPProtocol(UInt8(truncatingIfNeeded: key.proto)))
  }
}
