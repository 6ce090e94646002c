public import Wire

/// The transport protocols an endpoint can have; raw values are IP protocol numbers.
public enum TransportProtocol: UInt8, CaseIterable, Codable, Hashable, Sendable {
  case tcp = 6
  case udp = 17
}

/// Names an endpoint on the wire.
public struct EndpointKey: Codable, Hashable, Sendable {
  /// The service's virtual address.
  public var vip: IPv4Address
  /// TCP or UDP.
  public var transport: TransportProtocol
  /// The port at the VIP.
  public var port: UInt16

  /// Joins the three.
  public init(vip: IPv4Address, transport: TransportProtocol, port: UInt16) {
    self.vip = vip
    self.transport = transport
    self.port = port
  }
}

extension EndpointKey: CustomStringConvertible, Comparable {
  /// `203.0.113.10:80/tcp`.
  public var description: String { "\(vip):\(port)/\(transport)" }

  /// Orders by VIP, port, protocol.
  public static func < (a: Self, b: Self) -> Bool {
    (a.vip, a.port, a.transport.rawValue) < (b.vip, b.port, b.transport.rawValue)
  }
}

/// What of a packet chooses its backend.
public enum Affinity: String, CaseIterable, Codable, Hashable, Sendable {
  /// Every connection by itself.
  case fiveTuple
  /// All a client sends to the VIP, whatever the protocol.
  case sourceAndDestination
  /// All a client sends to the VIP by one protocol.
  case sourceDestinationAndProtocol
}

/// How a host finds out whether a backend can serve.
public struct Probe: Codable, Hashable, Sendable {
  /// What is asked.
  public enum Method: Codable, Hashable, Sendable {
    /// Healthy when the connection is accepted.
    case tcp
    /// Healthy when `GET path` is answered with status 200.
    case http(path: String)
  }
  /// What is asked.
  public var method: Method
  /// Where at the DIP.
  public var port: UInt16
  /// From the start of one probe to the start of the next; 100 ms to 5 minutes.
  public var intervalMilliseconds: Int
  /// How long a probe may take before it counts as failed; at most the interval.
  public var timeoutMilliseconds: Int
  /// Consecutive equal results before the state changes; 1 to 10.
  public var threshold: Int

  /// Describes a probe.
  public init(
    method: Method, port: UInt16, intervalMilliseconds: Int = 2000, timeoutMilliseconds: Int = 1000,
    threshold: Int = 2
  ) {
    self.method = method
    self.port = port
    self.intervalMilliseconds = intervalMilliseconds
    self.timeoutMilliseconds = timeoutMilliseconds
    self.threshold = threshold
  }
}

/// A VM that serves an endpoint.
public struct Backend: Codable, Hashable, Sendable {
  /// The VM's name.
  public var machine: String
  /// Its share of new connections relative to the others, 0 to 100; 0 drains it.
  public var weight: Int

  /// Describes a backend.
  public init(machine: String, weight: Int = 1) {
    self.machine = machine
    self.weight = weight
  }
}

/// One port of a VIP and those who serve it.
public struct Endpoint: Codable, Hashable, Sendable {
  /// Unique within the service.
  public var name: String
  /// TCP or UDP.
  public var transport: TransportProtocol
  /// At the VIP.
  public var port: UInt16
  /// At the DIP.
  public var backendPort: UInt16
  /// In the order of the manifest.
  public var backends: [Backend]
  /// Without one, every backend counts as healthy.
  public var probe: Probe?
  /// What chooses the backend.
  public var affinity: Affinity
  /// A flow that is silent this long is forgotten; 4 minutes for TCP, 1 minute for UDP by default.
  public var idleTimeoutMilliseconds: Int

  /// Describes an endpoint.
  public init(
    name: String, transport: TransportProtocol, port: UInt16, backendPort: UInt16, backends: [Backend],
    probe: Probe? = nil, affinity: Affinity = .fiveTuple, idleTimeoutMilliseconds: Int
  ) {
    self.name = name
    self.transport = transport
    self.port = port
    self.backendPort = backendPort
    self.backends = backends
    self.probe = probe
    self.affinity = affinity
    self.idleTimeoutMilliseconds = idleTimeoutMilliseconds
  }
}

/// A VIP, what it serves, and who leaves by it.
public struct Service: Codable, Hashable, Sendable {
  /// `metadata.name`.
  public var name: String
  /// The public address; no two services share one.
  public var vip: IPv4Address
  /// In the order of the manifest.
  public var endpoints: [Endpoint]
  /// VMs whose outbound connections take this VIP as source.
  public var snat: [String]
  /// Further public addresses whose ports the VMs of `snat` get when those of `vip` are taken.
  public var snatVIPs: [IPv4Address]
  /// The most ports that one VM gets; a multiple of 8.
  public var snatPortsPerMachine: Int
  /// Whether connections of this service may bypass the MUXes.
  public var fastPath: Bool

  /// Describes a service.
  public init(
    name: String, vip: IPv4Address, endpoints: [Endpoint], snat: [String] = [], snatVIPs: [IPv4Address] = [],
    snatPortsPerMachine: Int = Limits.defaultSNATPortsPerMachine, fastPath: Bool = false
  ) {
    self.name = name
    self.vip = vip
    self.endpoints = endpoints
    self.snat = snat
    self.snatVIPs = snatVIPs
    self.snatPortsPerMachine = snatPortsPerMachine
    self.fastPath = fastPath
  }

  /// Reads a service; one that was written before VMs could leave by it has the defaults.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    name = try values.decode(String.self, forKey: .name)
    vip = try values.decode(IPv4Address.self, forKey: .vip)
    endpoints = try values.decode([Endpoint].self, forKey: .endpoints)
    snat = try values.decode([String].self, forKey: .snat)
    snatVIPs = try values.decodeIfPresent([IPv4Address].self, forKey: .snatVIPs) ?? []
    snatPortsPerMachine =
      try values.decodeIfPresent(Int.self, forKey: .snatPortsPerMachine) ?? Limits.defaultSNATPortsPerMachine
    fastPath = try values.decode(Bool.self, forKey: .fastPath)
  }
}
