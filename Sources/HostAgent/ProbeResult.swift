public import Wire

/// What is known of the health of an endpoint at a VM.
public struct ProbeResult: Hashable, Sendable {
  /// The VM, by its locator.
  public var locator: IPv4Address
  /// The endpoint's virtual address.
  public var vip: IPv4Address
  /// The endpoint's protocol.
  public var proto: IPProtocol
  /// The endpoint's port at the VIP.
  public var vipPort: UInt16
  /// Whether it can serve.
  public var isHealthy: Bool
  /// Why, in a few words: `connection refused`, `status 503`, `timed out`.
  public var reason: String

  init(_ target: ProbeTarget, isHealthy: Bool, reason: String) {
    locator = target.locator
    vip = target.vip
    proto = target.proto
    vipPort = target.vipPort
    self.isHealthy = isHealthy
    self.reason = reason
  }
}
