/// IP in IP (RFC 2003): a packet carried whole behind a second IPv4 header.
public enum IPIP {
  /// What it costs.
  @inline(always) public static var byteCount: Int { 20 }
  /// Hops an encapsulated packet may take: the inner one's are not spent on the way (RFC 2003 §3.1).
  @inline(always) public static var timeToLive: UInt8 { 64 }

  /// Lays an outer header down before the packet that begins at `offset`; the packet is not touched.
  ///
  /// DSCP and ECN are copied (RFC 6040 §4.1, normal mode), and so is DF. With DF the identification means nothing
  /// and is 0 (RFC 6864); without, it is the inner one, so that fragments of different packets differ.
  /// A length above 65,535, as of a super-packet that is still to be segmented, is cut to 16 bits.
  @inline(always) public static func encapsulate(
    _ frame: inout Frame, packetAt offset: Int, byteCount: Int, from source: IPv4Address,
    to destination: IPv4Address
  ) {
    let inner = IPv4Header(at: offset)
    let service = UInt32(inner.typeOfService(frame))
    let fragmentation = inner.fragmentWord(frame) & 0x4000
    let identification = fragmentation == 0 ? inner.identification(frame) : 0
    let length = UInt32(UInt16(truncatingIfNeeded: byteCount &+ Self.byteCount))
    let first = (0x4500_0000 | service << 16 | length).bigEndian
    let second = (UInt32(identification) << 16 | UInt32(fragmentation)).bigEndian
    let third = UInt32(timeToLive) << 24 | UInt32(IPProtocol.ipip.rawValue) << 16
    var sum = InternetChecksum()
    sum.add(first)
    sum.add(second)
    sum.add(third.bigEndian)
    sum.add(source.raw)
    sum.add(destination.raw)
    let start = offset &- Self.byteCount
    frame.store(first, at: start)
    frame.store(second, at: start &+ 4)
    frame.store16(UInt16(truncatingIfNeeded: third >> 16), at: start &+ 8)
    frame.store(sum.value, at: start &+ 10)
    frame.store(source.raw, at: start &+ 12)
    frame.store(destination.raw, at: start &+ 16)
  }
}
