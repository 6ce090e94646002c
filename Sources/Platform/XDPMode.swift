/// Where a device runs an XDP program.
public enum XDPMode: UInt32, CaseIterable, Hashable, Sendable {
  /// In the driver, before the kernel allocates anything for a packet (XDP_FLAGS_DRV_MODE).
  case native = 4
  /// In the kernel's common code, for every device, and slower (XDP_FLAGS_SKB_MODE).
  case generic = 2
}
