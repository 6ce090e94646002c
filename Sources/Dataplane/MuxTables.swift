public import Wire

/// Names an endpoint on the wire: the key of the VIP map.
public struct EndpointAddress: Hashable, Sendable, BitwiseCopyable {
  /// The virtual address.
  public let vip: IPv4Address
  /// The port at the VIP.
  public let port: UInt16
  /// TCP or UDP.
  public let proto: IPProtocol
  /// Always 0; makes all bytes of the key defined, as keys of eBPF maps must be.
  @usableFromInline let padding: UInt8

  /// Joins the three.
  @inline(always) public init(vip: IPv4Address, port: UInt16, proto: IPProtocol) {
    self.vip = vip
    self.port = port
    self.proto = proto
    padding = 0
  }

  /// The same as one number, which is never 0 for a VIP.
  @inline(always) public var packed: UInt64 {
    UInt64(vip.raw) | UInt64(port) << 32 | UInt64(proto.rawValue) << 48
  }

  /// Takes a number apart that is an address.
  @inline(always) public init(packed: UInt64) {
    self.init(
      vip: IPv4Address(raw: UInt32(truncatingIfNeeded: packed)),
      port: UInt16(truncatingIfNeeded: packed >> 32),
      proto: IPProtocol(UInt8(truncatingIfNeeded: packed >> 48)))
  }

  /// Written out because the compiler's own `==` cannot be inlined into another module.
  @inline(always) public static func == (a: Self, b: Self) -> Bool {
    a.vip.raw == b.vip.raw && a.port == b.port && a.proto.rawValue == b.proto.rawValue
  }
}

extension EndpointAddress: Comparable {
  /// Orders by VIP, port, protocol.
  @inline(always) public static func < (a: Self, b: Self) -> Bool {
    guard a.vip.raw == b.vip.raw else { return a.vip < b.vip }
    guard a.port == b.port else { return a.port < b.port }
    return a.proto.rawValue < b.proto.rawValue
  }
}

/// What the VIP map says of an endpoint.
public protocol EndpointEntry: BitwiseCopyable {
  /// Names the endpoint as long as it exists, whatever else comes and goes.
  var number: UInt32 { get }
  /// A flow that is silent this long is forgotten, milliseconds.
  var idleTimeout: UInt32 { get }
  /// Of the look-up table.
  var slotCount: UInt32 { get }
  /// What chooses the slot.
  var fields: HashedFields { get }
  /// Whether some slot may be moving.
  var isMoving: Bool { get }
}

/// Where packets of a connection go, and where they are counted.
public struct Target: Hashable, Sendable, BitwiseCopyable {
  /// The outer destination.
  public let locator: IPv4Address
  /// Of the counters of this endpoint and backend.
  public let row: UInt32
  /// Tells the present use of the row from former ones.
  public let generation: UInt32

  /// Joins the three.
  @inline(always) public init(locator: IPv4Address, row: UInt32, generation: UInt32) {
    self.locator = locator
    self.row = row
    self.generation = generation
  }

  /// Written out because the compiler's own `==` cannot be inlined into another module.
  @inline(always) public static func == (a: Self, b: Self) -> Bool {
    a.locator.raw == b.locator.raw && a.row == b.row && a.generation == b.generation
  }
}

/// A slot that has changed its backend so lately that older connections may still be alive.
public enum SlotMovement: Sendable, BitwiseCopyable {
  /// Unknown connections are older than the movement: they belong to the backend before it.
  case base(Target)
  /// The base has been given up; new connections are still recorded.
  case recording
}

/// The tables a packet of the MUX is judged by: user space's own, or maps of the kernel.
///
/// The decision is written once, generic over this protocol (Mux/Match.swift), and compiled for both.
public protocol MuxTables: ~Copyable {
  /// Where an endpoint is in these tables.
  associatedtype Endpoint: EndpointEntry
  /// The time, milliseconds on a steady clock that may wrap around; asked for only where something moves.
  var now: UInt32 { get }
  /// The endpoint that is served at an address.
  func endpoint(_ address: EndpointAddress) -> Endpoint?
  /// Whether an address is a VIP, of whatever ports.
  func isVIP(_ address: IPv4Address) -> Bool
  /// Where packets to the SNAT ranges of a VIP are counted, without locator; nil when the address is no VIP.
  func snatRow(_ vip: IPv4Address) -> Target?
  /// The locator of the VM that a range is leased to.
  func leaseholder(_ range: SNATRange) -> IPv4Address?
  /// The pool's hash.
  var poolHash: PoolHash { get }
  /// The backend that a slot has now; nil when the endpoint has none.
  func current(_ entry: Endpoint, slot: Int) -> Target?
  /// Whether a backend is still the endpoint's, be it one that drains; false once it is down or taken away.
  func serves(_ entry: Endpoint, _ target: Target) -> Bool
  /// How a slot moves now; nil when it is settled.
  mutating func movement(_ entry: Endpoint, slot: Int) -> SlotMovement?
  /// Whether any connection of the endpoint may be recorded.
  func hasRecords(_ entry: Endpoint) -> Bool
  /// The backend that is recorded for a connection; asking renews the record unless it is `opening`.
  mutating func recorded(
    _ connection: FiveTuple, _ entry: Endpoint, opening: Bool
  ) -> Target?
  /// Records a connection, if there is room; `opening` when all it has shown is a SYN.
  mutating func record(
    _ connection: FiveTuple, _ target: Target, _ entry: Endpoint, opening: Bool)
  /// Forgets what is recorded for a connection.
  mutating func forget(_ connection: FiveTuple)
  /// Lets the record of a connection end soon whose client has sent a RST or a FIN.
  mutating func expireSoon(_ connection: FiveTuple, isReset: Bool)
  /// Counts a packet that goes to a backend.
  mutating func count(_ target: Target, byteCount: Int, opens: Bool)
}
