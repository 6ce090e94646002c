/// The graceful restart capability (RFC 4724 §3).
public struct GracefulRestart: Hashable, Sendable {
  /// A family whose forwarding state may have been kept.
  public struct Family: Hashable, Sendable {
    /// The family.
    public var family: AddressFamily
    /// Bit 0x80: forwarding state was preserved.
    public var flags: UInt8

    /// Joins family and flags.
    public init(family: AddressFamily, flags: UInt8) {
      self.family = family
      self.flags = flags
    }
  }

  /// Four bits; 8 says that the sender has restarted.
  public var flags: UInt8
  /// How long the sender needs to come back, 0 to 4095 seconds.
  public var timeSeconds: UInt16
  /// Empty when the sender only helps others.
  public var families: [Family]

  /// Joins the fields; flags and time are cut to their 4 and 12 bits.
  public init(flags: UInt8, timeSeconds: UInt16, families: [Family]) {
    self.flags = flags & 0xf
    self.timeSeconds = timeSeconds & 0xfff
    self.families = families
  }

  init?(_ octets: [UInt8]) {
    var reader = ByteReader(octets)
    guard let first = reader.uint16(), reader.remaining % 4 == 0 else { return nil }
    var families: [Family] = []
    while let afi = reader.uint16(), let safi = reader.uint8(), let flags = reader.uint8() {
      families.append(Family(family: AddressFamily(afi: afi, safi: safi), flags: flags))
    }
    self.init(flags: UInt8(first >> 12), timeSeconds: first, families: families)
  }

  var octets: [UInt8] {
    var writer = ByteWriter()
    writer.uint16(UInt16(flags) << 12 | timeSeconds)
    for family in families {
      writer.uint16(family.family.afi)
      writer.uint8(family.family.safi)
      writer.uint8(family.flags)
    }
    return writer.bytes
  }
}
