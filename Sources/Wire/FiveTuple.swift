/// The five values that name a connection.
public struct FiveTuple: Hashable, Sendable, BitwiseCopyable {
  /// Who sends.
  public let source: IPv4Address
  /// Who receives.
  public let destination: IPv4Address
  /// The sender's port; of an ICMP echo the identifier; 0 where the protocol has none.
  public let sourcePort: UInt16
  /// The receiver's port; of an ICMP echo 0.
  public let destinationPort: UInt16
  /// TCP, UDP or ICMP.
  public let proto: IPProtocol

  /// Joins the five.
  @inline(always) public init(
    source: IPv4Address, destination: IPv4Address, sourcePort: UInt16, destinationPort: UInt16,
    proto: IPProtocol
  ) {
    self.source = source
    self.destination = destination
    self.sourcePort = sourcePort
    self.destinationPort = destinationPort
    self.proto = proto
  }

  /// The same connection seen from the other end.
  @inline(always) public var reversed: FiveTuple {
    FiveTuple(
      source: destination, destination: source, sourcePort: destinationPort, destinationPort: sourcePort,
      proto: proto)
  }

  /// Written out because the compiler's own `==` cannot be inlined into another module.
  @inline(always) public static func == (a: Self, b: Self) -> Bool {
    a.source == b.source && a.destination == b.destination && a.sourcePort == b.sourcePort
      && a.destinationPort == b.destinationPort && a.proto == b.proto
  }
}
