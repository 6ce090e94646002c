import BGP
public import Wire

/// A router that hears our routes.
public struct NeighborConfiguration: Hashable, Sendable {
  /// The router's address.
  public var address: IPv4Address
  /// The TCP port it listens on, usually 179.
  public var port: UInt16
  /// The AS it must be in; our own for an internal session.
  public var remoteAS: UInt32
  /// The key of TCP MD5 signatures (RFC 2385), 1 to 80 octets; none when `nil`.
  public var password: String?

  /// Describes a router.
  public init(address: IPv4Address, port: UInt16 = 179, remoteAS: UInt32, password: String? = nil) {
    self.address = address
    self.port = port
    self.remoteAS = remoteAS
    self.password = password
  }
}

/// What a speaker needs to know.
public struct SpeakerConfiguration: Hashable, Sendable {
  /// Source of every connection, and next hop of every route.
  public var localAddress: IPv4Address
  /// Our AS, 1 to 4,294,967,295.
  public var localAS: UInt32
  /// Our BGP identifier, unique among the routers' peers.
  public var routerID: IPv4Address
  /// Proposed to every router; 0 for none, else 3 to 65,535 seconds.
  public var holdTimeSeconds: Int
  /// Between attempts to connect, 1 to 65,535 seconds; each wait is shortened by up to a quarter at random.
  public var connectRetrySeconds: Int
  /// The routers.
  public var neighbors: [NeighborConfiguration]

  /// Describes a speaker; `Speaker.start` checks the values.
  public init(
    localAddress: IPv4Address, localAS: UInt32, routerID: IPv4Address, holdTimeSeconds: Int = 9,
    connectRetrySeconds: Int = 5, neighbors: [NeighborConfiguration]
  ) {
    self.localAddress = localAddress
    self.localAS = localAS
    self.routerID = routerID
    self.holdTimeSeconds = holdTimeSeconds
    self.connectRetrySeconds = connectRetrySeconds
    self.neighbors = neighbors
  }

  /// Refuses what `SessionConfiguration` would trap on, and what the kernel would refuse later.
  func check() throws(SpeakerError) {
    func require(_ condition: Bool, _ sentence: String) throws(SpeakerError) {
      guard condition else { throw SpeakerError(.configuration, sentence) }
    }
    try require(localAddress != .any, "localAddress is 0.0.0.0; give the node's underlay address")
    try require(localAS != 0, "localAS is 0; give the AS of this MUX, 64512 to 65534 are free to use")
    try require(routerID != .any, "routerID is 0.0.0.0; give the node's underlay address")
    try require(
      holdTimeSeconds == 0 || BGP.Limits.minimumHoldTimeSeconds...Int(UInt16.max) ~= holdTimeSeconds,
      "holdTimeSeconds is \(holdTimeSeconds); give 0 for none, or 3 to 65535")
    try require(
      1...Int(UInt16.max) ~= connectRetrySeconds,
      "connectRetrySeconds is \(connectRetrySeconds); give 1 to 65535")
    try require(
      neighbors.count <= Limits.maximumNeighbors,
      "\(neighbors.count) neighbors; at most \(Limits.maximumNeighbors) are supported")
    for (index, neighbor) in neighbors.enumerated() {
      let name = "neighbor \(neighbor.address)"
      try require(neighbor.address != .any, "neighbor number \(index + 1) has address 0.0.0.0")
      try require(neighbor.port != 0, "\(name): port is 0; routers listen on 179")
      try require(neighbor.remoteAS != 0, "\(name): remoteAS is 0; give the router's AS")
      if let password = neighbor.password {
        try require(
          1...Limits.maximumPasswordLength ~= password.utf8.count,
          "\(name): the password has \(password.utf8.count) octets; TCP MD5 takes 1 to 80")
      }
      let isRepeated = neighbors[..<index].contains {
        $0.address == neighbor.address && $0.port == neighbor.port
      }
      try require(!isRepeated, "\(name), port \(neighbor.port), is listed twice")
    }
  }

  func session(with neighbor: NeighborConfiguration) -> SessionConfiguration {
    SessionConfiguration(
      localAS: localAS, routerID: routerID, nextHop: localAddress, remoteAS: neighbor.remoteAS,
      holdTimeSeconds: UInt16(holdTimeSeconds), connectRetrySeconds: UInt16(connectRetrySeconds))
  }
}
