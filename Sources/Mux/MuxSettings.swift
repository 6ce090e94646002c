import Wire

/// What a packet's way depends on beside the tables.
struct MuxSettings: BitwiseCopyable {
  /// The outer source.
  let address: IPv4Address
  /// The underlay's.
  let mtu: Int
}
