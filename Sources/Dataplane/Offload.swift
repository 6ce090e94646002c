public import Wire

/// What the device left to us, or we leave to it: segmentation and checksum (struct virtio_net_hdr, 10 bytes,
/// as TUN devices with IFF_VNET_HDR put it before every packet; virtio 1.2 §5.1.6).
public struct Offload: BitwiseCopyable, Sendable {
  /// Bytes of the header before the packet.
  @inline(always) public static var byteCount: Int { 10 }
  /// `needsChecksum`, `dataValid`.
  public var flags: UInt8
  /// One of the `gso…` values, perhaps with `gsoECN`.
  public var gsoType: UInt8
  /// Bytes up to the payload; a hint only.
  public var headerLength: UInt16
  /// Payload bytes of each segment.
  public var gsoSize: UInt16
  /// Where summing begins, from the start of the packet.
  public var checksumStart: UInt16
  /// Where the checksum lies, from `checksumStart` on.
  public var checksumOffset: UInt16

  /// Nothing left to anybody: a packet as it goes over a wire.
  @inline(always) public init() {
    flags = 0
    gsoType = 0
    headerLength = 0
    gsoSize = 0
    checksumStart = 0
    checksumOffset = 0
  }

  /// VIRTIO_NET_HDR_F_NEEDS_CSUM: the checksum field holds only the pseudo header's sum, not complemented.
  @inline(always) public static var needsChecksum: UInt8 { 1 }
  /// VIRTIO_NET_HDR_F_DATA_VALID.
  @inline(always) public static var dataValid: UInt8 { 2 }
  /// VIRTIO_NET_HDR_GSO_NONE.
  @inline(always) public static var gsoNone: UInt8 { 0 }
  /// VIRTIO_NET_HDR_GSO_TCPV4.
  @inline(always) public static var gsoTCPv4: UInt8 { 1 }
  /// VIRTIO_NET_HDR_GSO_UDP_L4.
  @inline(always) public static var gsoUDP: UInt8 { 5 }
  /// VIRTIO_NET_HDR_GSO_ECN, a flag beside the type.
  @inline(always) public static var gsoECN: UInt8 { 0x80 }

  /// Whether the L4 checksum is only begun.
  @inline(always) public var isPartial: Bool { flags & Self.needsChecksum != 0 }
  /// Whether the packet stands for several on the wire.
  @inline(always) public var isSuperPacket: Bool { gsoType & ~Self.gsoECN != Self.gsoNone }

  /// The same, counted from a header that lies so many bytes further on: what came before it is taken off.
  @inline(always) public func behind(_ byteCount: Int) -> Offload {
    guard isPartial else { return self }
    let passed = UInt16(truncatingIfNeeded: byteCount)
    var offload = self
    offload.checksumStart = checksumStart &- passed
    offload.headerLength = headerLength &- min(headerLength, passed)
    return offload
  }

  /// The same, counted from so many bytes before: a header is put in front.
  @inline(always) public func before(_ byteCount: Int) -> Offload {
    guard isPartial else { return self }
    let added = UInt16(truncatingIfNeeded: byteCount)
    var offload = self
    offload.checksumStart = checksumStart &+ added
    if headerLength > 0 { offload.headerLength = headerLength &+ added }
    return offload
  }

  /// The header as it lies in a frame, in the byte order of the machine (virtio 1.2 §5.1.6.1, legacy interface).
  @inline(always) public init(_ frame: borrowing Frame, at offset: Int) {
    flags = frame.load(offset, as: UInt8.self)
    gsoType = frame.load(offset &+ 1, as: UInt8.self)
    headerLength = frame.load(offset &+ 2, as: UInt16.self)
    gsoSize = frame.load(offset &+ 4, as: UInt16.self)
    checksumStart = frame.load(offset &+ 6, as: UInt16.self)
    checksumOffset = frame.load(offset &+ 8, as: UInt16.self)
  }

  /// Lays the header down in a frame.
  @inline(always) public func store(in frame: inout Frame, at offset: Int) {
    frame.store(flags, at: offset)
    frame.store(gsoType, at: offset &+ 1)
    frame.store(headerLength, at: offset &+ 2)
    frame.store(gsoSize, at: offset &+ 4)
    frame.store(checksumStart, at: offset &+ 6)
    frame.store(checksumOffset, at: offset &+ 8)
  }
}
