public import Wire

/// What a host says of the ports of one of its VMs.
public struct PortStatus: Codable, Hashable, Sendable {
  /// The VM, by its locator.
  public var locator: IPv4Address
  /// Ranges that its host holds.
  public var ranges: Int
  /// Ports with at least one connection.
  public var portsInUse: Int
  /// Connections.
  public var flows: Int
  /// Packets that wait for a lease.
  public var held: Int
  /// Requests to the manager since the agent's start.
  public var requests: UInt64
  /// Requests that were refused.
  public var refused: UInt64
  /// Packets that were dropped for want of a port.
  public var dropped: UInt64
  /// From a request to its answer, the median in microseconds; 0 before the first.
  public var waitMicrosecondsP50: UInt64
  /// What 99 of 100 answers took less than.
  public var waitMicrosecondsP99: UInt64

  /// Describes a VM's ports.
  public init(
    locator: IPv4Address, ranges: Int, portsInUse: Int, flows: Int, held: Int, requests: UInt64,
    refused: UInt64, dropped: UInt64, waitMicrosecondsP50: UInt64, waitMicrosecondsP99: UInt64
  ) {
    self.locator = locator
    self.ranges = ranges
    self.portsInUse = portsInUse
    self.flows = flows
    self.held = held
    self.requests = requests
    self.refused = refused
    self.dropped = dropped
    self.waitMicrosecondsP50 = waitMicrosecondsP50
    self.waitMicrosecondsP99 = waitMicrosecondsP99
  }
}
