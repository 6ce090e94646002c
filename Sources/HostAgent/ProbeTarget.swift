public import Wire

/// One health probe: which endpoint of which VM is asked what, and how often.
public struct ProbeTarget: Hashable, Sendable {
  /// What is asked.
  public enum Method: Hashable, Sendable {
    /// Healthy when the connection is accepted.
    case tcp
    /// Healthy when `GET path` is answered with status 200.
    case http(path: String)
  }

  /// Names the probe; unique among those of a host, and kept while it is configured.
  public var id: UInt32
  /// The VM, by its index.
  public var machine: UInt32
  /// The VM, by its locator, as health is reported.
  public var locator: IPv4Address
  /// The VM's address.
  public var dip: IPv4Address
  /// The endpoint's virtual address.
  public var vip: IPv4Address
  /// The endpoint's protocol.
  public var proto: IPProtocol
  /// The endpoint's port at the VIP.
  public var vipPort: UInt16
  /// What is asked.
  public var method: Method
  /// Where at the DIP.
  public var port: UInt16
  /// From the start of one probe to the start of the next.
  public var intervalMilliseconds: Int
  /// How long a probe may take before it counts as failed.
  public var timeoutMilliseconds: Int
  /// Consecutive equal results before the state changes.
  public var threshold: Int

  /// Describes a probe.
  public init(
    id: UInt32, machine: UInt32, locator: IPv4Address, dip: IPv4Address, vip: IPv4Address,
    proto: IPProtocol, vipPort: UInt16, method: Method, port: UInt16, intervalMilliseconds: Int,
    timeoutMilliseconds: Int, threshold: Int
  ) {
    self.id = id
    self.machine = machine
    self.locator = locator
    self.dip = dip
    self.vip = vip
    self.proto = proto
    self.vipPort = vipPort
    self.method = method
    self.port = port
    self.intervalMilliseconds = intervalMilliseconds
    self.timeoutMilliseconds = timeoutMilliseconds
    self.threshold = threshold
  }

  /// Whether the other asks the same of the same, however often.
  func asksTheSame(as other: ProbeTarget) -> Bool {
    machine == other.machine && locator == other.locator && dip == other.dip && vip == other.vip
      && proto == other.proto && vipPort == other.vipPort && method == other.method && port == other.port
  }

  /// How long after the start of the agent the first probe begins, so that many do not begin at once.
  ///
  /// At most the interval and at most 2 s, since an endpoint gets no connections before its first result.
  var firstDelayMilliseconds: UInt64 {
    var hash = UInt64(locator.number) &* 0x9e37_79b9_7f4a_7c15
    hash = (hash ^ UInt64(vip.number) << 16 ^ UInt64(vipPort)) &* 0xd6e8_feb8_6659_fd93
    return (hash >> 32) % UInt64(max(1, min(intervalMilliseconds, 2000)))
  }
}
