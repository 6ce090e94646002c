public import Wire

/// An endpoint in the kernel's array of endpoints, or a VIP by itself, which has port 0 and protocol 0.
///
/// It and what it points to are never changed while packets can see them; `KernelTables` (Sources/Kernel) reads what
/// `KernelImage` writes.
public struct KernelEndpoint: BitwiseCopyable, Sendable {
  /// Its address, packed.
  public var key: UInt64
  /// Names the endpoint as long as it exists; of a VIP by itself the row of its counters.
  public var number: UInt32
  /// Milliseconds; of a VIP by itself the generation of its row.
  public var idleTimeout: UInt32
  /// Of its table.
  public var slotCount: UInt32
  /// Its place in the map of tables.
  public var table: UInt32
  /// The first of its backends in the bank of targets.
  public var firstTarget: UInt32
  /// Backends that take new connections: as many places from `firstTarget` on, sorted by locator.
  public var acceptingCount: UInt32
  /// All backends: those that drain follow, sorted by locator.
  public var targetCount: UInt32
  /// The first of its histories in the bank of movements.
  public var firstMovement: UInt32
  /// `HashedFields`.
  public var fields: UInt8
  /// Whether some slot may be moving.
  public var isMoving: UInt8
  /// Which bank of targets and movements: 0 or 1.
  public var bank: UInt8
  /// Always 0.
  public var padding: UInt8
  /// Always 0.
  public var rest: UInt32

  /// A VIP by itself, whose packets to SNAT ranges a row counts.
  public init(vip address: EndpointAddress, countedBy target: Target, bank: UInt32) {
    self.init(address, bank: bank)
    number = target.row
    idleTimeout = target.generation
  }

  /// The row of a VIP by itself.
  @inline(always) public var snatRow: Target { Target(locator: .any, row: number, generation: idleTimeout) }

  /// An endpoint of which nothing else is known yet.
  public init(_ address: EndpointAddress, bank: UInt32) {
    key = address.packed
    number = 0
    idleTimeout = 0
    slotCount = 0
    table = 0
    firstTarget = 0
    acceptingCount = 0
    targetCount = 0
    firstMovement = 0
    fields = 0
    isMoving = 0
    self.bank = UInt8(bank)
    padding = 0
    rest = 0
  }
}

/// A slot of a look-up table in the kernel.
///
/// A table has all places first and all histories behind them: packets of a settled endpoint read the first
/// half only, which is half as much for a CPU's cache to hold.
public struct KernelSlot: BitwiseCopyable, Equatable, Sendable {
  /// The place of its backend among the endpoint's.
  public var place: UInt16
  /// The place of its history among the endpoint's, from 1 on; 0 when it is settled.
  public var movement: UInt16

  /// Joins the two.
  public init(place: UInt16, movement: UInt16) {
    self.place = place
    self.movement = movement
  }

  #if !$Embedded
  /// A table as it lies in the map.
  public static func table(_ slots: [KernelSlot]) -> [UInt16] { slots.map(\.place) + slots.map(\.movement) }

  /// The slots of a table.
  public static func slots(ofTable words: [UInt16]) -> [KernelSlot] {
    zip(words.prefix(words.count / 2), words.suffix(words.count / 2))
      .map { KernelSlot(place: $0, movement: $1) }
  }
  #endif
}

/// The key of the kernel's records: a five-tuple without undefined bytes.
public struct KernelFlowKey: BitwiseCopyable, Hashable, Sendable {
  /// Source and destination.
  public let addresses: UInt64
  /// Ports and protocol.
  public let ports: UInt64

  /// Packs a connection.
  @inline(always) public init(_ connection: FiveTuple) {
    addresses = UInt64(connection.source.raw) << 32 | UInt64(connection.destination.raw)
    ports =
      UInt64(connection.sourcePort) << 32 | UInt64(connection.destinationPort) << 16
      | UInt64(connection.proto.rawValue)
  }

  /// The endpoint that it is a connection to.
  @inline(always) public var endpoint: EndpointAddress {
    EndpointAddress(
      vip: IPv4Address(raw: UInt32(truncatingIfNeeded: addresses)),
      port: UInt16(truncatingIfNeeded: ports >> 16),
      proto: IPProtocol(UInt8(truncatingIfNeeded: ports)))
  }
}

/// What a CPU has counted of one endpoint and backend.
public struct KernelRow: BitwiseCopyable, Sendable {
  /// Packets sent; a super-packet is one.
  public var packets: UInt64
  /// Bytes of the inner packets.
  public var bytes: UInt64
  /// SYNs of TCP.
  public var connections: UInt64
  /// The use of the row that these numbers are of.
  public var generation: UInt32
  /// The way to the backend; here since every packet that is counted needs it too, and last, where programs
  /// look for it.
  ///
  /// Of no use in a VIP's row, whose packets go to many locators.
  public var nextHop: KernelNextHop

  /// Nothing yet.
  public init() {
    packets = 0
    bytes = 0
    connections = 0
    generation = 0
    nextHop = KernelNextHop()
  }
}

/// Where packets to an address leave the node, as a CPU was told: device and MAC addresses.
public struct KernelNextHop: BitwiseCopyable, Sendable {
  /// What it is the way to, as it lies in a packet.
  public var address: UInt32
  /// When it was asked for and what was answered; 0 before the first time.
  public var epoch: UInt32
  /// The device's index.
  public var ifindex: UInt32
  /// The IPv4 address of the neighbour there, as it lies in a packet; 0 when the kernel is to find it by itself.
  public var neighbour: UInt32
  /// The first bytes of the neighbour's MAC address, as they lie in a frame.
  public var destinationLow: UInt32
  /// The last two of them.
  public var destinationHigh: UInt16
  /// The first bytes of the device's MAC address.
  public var sourceLow: UInt16
  /// The last four of them.
  public var sourceHigh: UInt32

  /// Not asked for yet.
  public init() {
    address = 0
    epoch = 0
    ifindex = 0
    neighbour = 0
    destinationLow = 0
    destinationHigh = 0
    sourceLow = 0
    sourceHigh = 0
  }
}

/// What the programs of a node depend on beside the tables.
public struct KernelSettings: BitwiseCopyable, Sendable {
  /// The pool's.
  public var seed: UInt64
  /// The outer source, as it lies in a packet.
  public var address: UInt32
  /// The underlay's.
  public var mtu: UInt32

  /// Joins them.
  public init(seed: UInt64, address: IPv4Address, mtu: Int) {
    self.seed = seed
    self.address = address.raw
    self.mtu = UInt32(mtu)
  }
}

/// A device and a MAC address on its link, as that lies in a frame: the device's own, whose frames XDP may take, or a
/// neighbour's.
public struct KernelDevice: BitwiseCopyable, Hashable, Sendable {
  /// Its index; 0: none.
  public var ifindex: UInt32
  /// The first bytes of the MAC address.
  public var addressLow: UInt32
  /// The last two of them.
  public var addressHigh: UInt16
  /// 1 when what XDP sends back by it is to go the way of what is redirected.
  ///
  /// A veth pair wakes its other end for XDP_TX only if a program is there, too, and else leaves packets in
  /// its queue until others come.
  public var redirects: UInt16

  /// No device.
  public init() {
    ifindex = 0
    addressLow = 0
    addressHigh = 0
    redirects = 0
  }

  #if !$Embedded
  /// Joins the two; nil when the address has not 6 bytes, as those of devices that are no Ethernet.
  public init?(index: Int32, address: [UInt8], redirects: Bool = false) {
    guard address.count == 6 else { return nil }
    ifindex = UInt32(bitPattern: index)
    addressLow = address[0..<4].reversed().reduce(0) { $0 << 8 | UInt32($1) }
    addressHigh = UInt16(address[4]) | UInt16(address[5]) << 8
    self.redirects = redirects ? 1 : 0
  }

  /// Where a next hop leads.
  public init(_ hop: KernelNextHop) {
    ifindex = hop.ifindex
    addressLow = hop.destinationLow
    addressHigh = hop.destinationHigh
    redirects = 0
  }
  #endif
}

/// Of which version pinned maps are; its own layout never changes.
public struct KernelVersion: BitwiseCopyable, Hashable, Sendable {
  /// Of all maps but those named below; 0 while maps are being replaced.
  ///
  /// To be raised when what lies in one of them changes its meaning.
  public var tables: UInt32
  /// Of `KernelFlowKey` and `FlowRecord`.
  public var records: UInt32
  /// Of `SNATKey`.
  public var leases: UInt32
  /// Always 0.
  public var padding: UInt32

  /// Joins the three.
  public init(tables: UInt32, records: UInt32, leases: UInt32) {
    self.tables = tables
    self.records = records
    self.leases = leases
    padding = 0
  }

  /// Of maps that were pinned before there were versions.
  @inline(always) public static var unwritten: KernelVersion {
    KernelVersion(tables: 1, records: 1, leases: 1)
  }

  /// What this agent reads and writes.
  @inline(always) public static var current: KernelVersion { KernelVersion(tables: 2, records: 1, leases: 1) }
}

/// How the kernel's maps are laid out, for both who write and who read them.
public enum KernelLayout {
  /// Slots of a table: all have this many, and an endpoint uses the first `slotCount`.
  @inline(always) public static var slots: Int { 65_537 }
  /// Look-up tables at once: one for each set of backends, and one more for each endpoint that moves.
  @inline(always) public static var tables: Int { 16_384 }
  /// Endpoints and VIPs in one bank; the first of each bank is not used, since 0 means none.
  @inline(always) public static var endpoints: Int { 65_536 }
  /// Backends of all endpoints in one bank: 20,000 endpoints with 6 each.
  @inline(always) public static var targets: Int { 131_072 }
  /// Histories of all endpoints that move in one bank.
  @inline(always) public static var movements: Int { 16_384 }
  /// Connections recorded; 4 million bytes of values and twice as much around them.
  @inline(always) public static var flows: Int { 131_072 }
  /// Of those, connections that have shown one packet.
  @inline(always) public static var untrustedFlows: Int { flows / 8 }
  /// Records of each endpoint by its number, then those untrusted.
  @inline(always) public static var flowCounts: Int { Limits.endpoints + 1 }
  /// Where the untrusted are counted.
  @inline(always) public static var untrustedCount: Int { Limits.endpoints }
  /// Counters of all packets together: `DropReason` by its raw value, then these.
  @inline(always) public static var totals: Int { 64 }
  /// Devices that XDP takes frames of, each at its index modulo this: a node has a few uplinks.
  @inline(always) public static var devices: Int { 256 }
  /// Ways to locators that have leased SNAT ranges, for each CPU: 16 hosts with 256 VMs each, and beyond that
  /// two that meet are asked for in turn.
  @inline(always) public static var snatHops: Int { 4_096 }
  /// Where the way to a locator is remembered.
  @inline(always) public static func snatHop(_ locator: IPv4Address) -> UInt32 {
    (locator.number &* 0x9e37_79b1) >> 20
  }
  /// Echo requests answered.
  @inline(always) public static var echoTotal: Int { 33 }
  /// Handed to user space, since their next hop is not known yet.
  @inline(always) public static var unresolvedTotal: Int { 34 }
  /// Handed to user space, which answers or drops what does not fit.
  @inline(always) public static var tooBigTotal: Int { 35 }
}
