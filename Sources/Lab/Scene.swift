public import Control
public import Wire

/// The parts of a topology that measurements need, found by what they do.
public struct Scene: Sendable {
  /// Where measurements start.
  public let client: Topology.Client
  /// The first service with web servers behind it.
  public let web: Offering
  /// The first service with iperf3 servers behind it.
  public let bulk: Offering?
  /// The first service with UDP servers behind it.
  public let datagrams: Offering?
  /// All MUXes, in the order of the topology.
  public let muxes: [String]
  /// All hosts, in the order of the topology.
  public let hosts: [Topology.Machine]
  /// The MUX whose death hurts no manager, if there is one.
  public let victim: String

  /// What leaves for the internet, if the topology has one and services that VMs leave by.
  public let outbound: OutboundScene?

  /// An endpoint and the VMs behind it.
  public struct Offering: Sendable {
    /// The service's name.
    public let service: String
    /// The VIP.
    public let vip: IPv4Address
    /// The endpoint.
    public let endpoint: Endpoint

    /// `ADDRESS:PORT`.
    public var target: String { "\(vip):\(endpoint.port)" }
    /// The VMs, in the order of the topology.
    public var backends: [String] { endpoint.backends.map(\.machine) }
  }

  /// Finds the parts; a topology without them cannot be measured.
  public init(_ topology: Topology) throws(LabError) {
    func offering(_ server: Topology.Server) -> Offering? {
      for offer in topology.offers {
        for (endpoint, kind) in zip(offer.service.endpoints, offer.servers) where kind == server {
          return Offering(service: offer.service.name, vip: offer.service.vip, endpoint: endpoint)
        }
      }
      return nil
    }
    let muxes = topology.machines(with: .mux)
    guard let client = topology.clients.first, let web = offering(.http), muxes.count >= 2 else {
      throw LabError(
        .topology,
        "A demo needs a client, two MUXes and an endpoint with `server: http`; small.yaml has them.")
    }
    self.client = client
    self.web = web
    self.muxes = muxes.map(\.node.name)
    bulk = offering(.iperf3)
    datagrams = offering(.udp)
    hosts = topology.machines(with: .host)
    outbound = OutboundScene(topology)
    victim = muxes.last { !$0.node.roles.contains(.manager) }?.node.name ?? muxes[muxes.count - 1].node.name
  }
}
