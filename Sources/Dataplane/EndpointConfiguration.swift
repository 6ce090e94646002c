#if !$Embedded
public import Wire

/// A backend and its share.
public struct WeightedBackend: Hashable, Sendable, Comparable {
  /// The outer destination of its packets.
  public var locator: IPv4Address
  /// Its share of new connections relative to the others; 0 takes none.
  public var weight: Int

  /// Joins the two.
  public init(locator: IPv4Address, weight: Int = 1) {
    self.locator = locator
    self.weight = weight
  }

  /// Orders by locator.
  public static func < (a: Self, b: Self) -> Bool { a.locator < b.locator }
}

/// An endpoint as the manager describes it to a MUX.
public struct EndpointConfiguration: Hashable, Sendable {
  /// The virtual address.
  public var vip: IPv4Address
  /// The port at the VIP.
  public var port: UInt16
  /// TCP or UDP.
  public var proto: IPProtocol
  /// What chooses the backend.
  public var affinity: HashedFields
  /// A flow that is silent this long is forgotten, milliseconds.
  public var idleTimeout: UInt32
  /// In any order; those of weight 0 drain: they take no new connections, and keep those they have.
  public var backends: [WeightedBackend]

  /// Describes an endpoint.
  public init(
    vip: IPv4Address, port: UInt16, proto: IPProtocol, affinity: HashedFields = .fiveTuple,
    idleTimeout: UInt32 = 240_000, backends: [WeightedBackend]
  ) {
    self.vip = vip
    self.port = port
    self.proto = proto
    self.affinity = affinity
    self.idleTimeout = idleTimeout
    self.backends = backends
  }

  /// The key of the VIP map.
  public var address: EndpointAddress { EndpointAddress(vip: vip, port: port, proto: proto) }
}

/// Why a list of endpoints makes no VIP map.
public enum VIPMapError: Error, Hashable, Sendable {
  /// Two endpoints have the same VIP, port and protocol.
  case duplicateEndpoint(EndpointAddress)
  /// An endpoint names a backend twice.
  case duplicateBackend(EndpointAddress, IPv4Address)
  /// More than `Limits.endpoints`.
  case tooManyEndpoints(Int)
  /// More than `Limits.backends`, or than half the slots.
  case tooManyBackends(EndpointAddress, Int)
  /// A weight below 0 or above `Limits.weight`.
  case weight(EndpointAddress, IPv4Address, Int)
  /// Only TCP and UDP have endpoints.
  case unknownProtocol(EndpointAddress)
}
#endif
