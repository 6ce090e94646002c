public import Wire

/// What a session needs to know of itself and its peer.
public struct SessionConfiguration: Hashable, Sendable {
  /// Our AS.
  public let localAS: UInt32
  /// Our router id.
  public let routerID: IPv4Address
  /// The next hop of everything we announce: the session's own address.
  public let nextHop: IPv4Address
  /// The AS that the peer must be in.
  public let remoteAS: UInt32
  /// Proposed in OPEN: 0 for none, else 3 to 65,535.
  public let holdTimeSeconds: UInt16
  /// Between attempts to connect, before jitter; 1 to 65,535.
  public let connectRetrySeconds: UInt16

  /// Describes a session; traps on numbers outside their ranges, which a shell refuses with a sentence before.
  public init(
    localAS: UInt32, routerID: IPv4Address, nextHop: IPv4Address, remoteAS: UInt32, holdTimeSeconds: UInt16,
    connectRetrySeconds: UInt16
  ) {
    precondition(localAS != 0 && remoteAS != 0, "AS number 0")
    precondition(routerID != .any, "router id 0.0.0.0")
    precondition(
      holdTimeSeconds == 0 || holdTimeSeconds >= Limits.minimumHoldTimeSeconds, "hold time of 1 or 2 seconds")
    precondition(connectRetrySeconds > 0, "connect retry time of 0 seconds")
    self.localAS = localAS
    self.routerID = routerID
    self.nextHop = nextHop
    self.remoteAS = remoteAS
    self.holdTimeSeconds = holdTimeSeconds
    self.connectRetrySeconds = connectRetrySeconds
  }

  /// Whether the peer is in our own AS.
  public var isInternal: Bool { localAS == remoteAS }

  /// The OPEN we send.
  ///
  /// Graceful restart is left out on purpose: a router that hears it keeps the routes of a MUX that died.
  var open: OpenMessage {
    OpenMessage(
      autonomousSystem: localAS, holdTimeSeconds: holdTimeSeconds, identifier: routerID,
      capabilities: [.multiprotocol(.ipv4Unicast), .routeRefresh, .fourOctetAS(localAS)])
  }
}
