public import Wire

/// The ports of one VIP, as the manager has given them out.
public struct PortPoolStatus: Codable, Hashable, Sendable {
  /// What one VM has of them.
  public struct Holding: Codable, Hashable, Sendable {
    /// The VM's name.
    public var machine: String
    /// Its underlay address.
    public var locator: IPv4Address
    /// Ranges it has, those that were recalled among them.
    public var ranges: Int
    /// Ranges that were recalled and are still in use.
    public var recalled: Int

    /// Describes what a VM has.
    public init(machine: String, locator: IPv4Address, ranges: Int, recalled: Int) {
      self.machine = machine
      self.locator = locator
      self.ranges = ranges
      self.recalled = recalled
    }
  }
  /// The virtual address.
  public var vip: IPv4Address
  /// The service whose it is; empty for one that is gone and whose ranges are not back yet.
  public var service: String
  /// Ranges that can be leased.
  public var capacity: Int
  /// Ranges that nobody has.
  public var free: Int
  /// Ranges whose host has not yet said that it uses them no more.
  public var orphaned: Int
  /// By VM.
  public var holdings: [Holding]

  /// Describes a VIP's ports.
  public init(
    vip: IPv4Address, service: String, capacity: Int, free: Int, orphaned: Int, holdings: [Holding]
  ) {
    self.vip = vip
    self.service = service
    self.capacity = capacity
    self.free = free
    self.orphaned = orphaned
    self.holdings = holdings
  }
}
