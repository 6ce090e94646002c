internal import CBPF

/// What XDP programs a device has.
public struct XDPStatus: Hashable, Sendable {
  /// The kernel's number for the program in the driver; nil when there is none.
  public let native: UInt32?
  /// The kernel's number for the program in the common code; nil when there is none.
  public let generic: UInt32?

  /// Asks about a device of the calling thread's namespace.
  ///
  /// The corresponding command is `ip link show`.
  public static func query(device: Int32) throws(PlatformError) -> XDPStatus {
    var found = cbpf_xdp()
    try BPFLibrary.check("query XDP of", "device number \(device)") { unsafe cbpf_xdp_query(device, &found) }
    return XDPStatus(
      native: found.native_id == 0 ? nil : found.native_id,
      generic: found.generic_id == 0 ? nil : found.generic_id)
  }
}
