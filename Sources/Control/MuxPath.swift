/// The way packets take through a MUX.
public enum MuxPath: String, CaseIterable, Codable, Hashable, Sendable {
  /// The fastest that the device and the kernel have: `xdp` at a driver that knows it, `tc` on virtual links.
  case auto
  /// In the kernel, at the driver.
  case xdp
  /// In the kernel, behind the driver.
  case tc
  /// In the agent.
  case userSpace
}
