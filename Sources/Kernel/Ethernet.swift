/// The link layer that our programs know.
enum Ethernet {
  /// Of a header without VLAN tag.
  @inline(__always) static var byteCount: Int { 14 }
  /// EtherType 0x0800 as it lies in memory.
  @inline(__always) static var ipv4: UInt16 { UInt16(0x0800).bigEndian }
}
