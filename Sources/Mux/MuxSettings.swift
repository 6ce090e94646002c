package import Wire

/// What a packet's way depends on beside the tables.
package struct MuxSettings: BitwiseCopyable {
  /// The outer source.
  package let address: IPv4Address
  /// The underlay's.
  package let mtu: Int

  /// Joins them.
  @inline(always) package init(address: IPv4Address, mtu: Int) {
    self.address = address
    self.mtu = mtu
  }
}
