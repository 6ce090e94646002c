public import Control
public import Wire

/// The parts of a topology that measurements of leased ports need, found by what they do.
public struct OutboundScene: Sendable {
  /// The service whose VMs may have the most ports.
  public let service: Service
  /// The VM that opens many connections: the first of the service.
  public let busy: String
  /// The VM that holds some connections, on another host.
  public let steady: String
  /// A VM of another service on the host of `busy`, which has fewer ports, and will have all of them; nil: there is none.
  public let heavy: String?
  /// The servers of the internet.
  public let sites: [Topology.Client]
  /// Addresses that must not be seen outside of hosts.
  public let inside: [IPv4Prefix]

  /// Nil without an internet, or without a service that two VMs on different hosts leave by.
  public init?(_ topology: Topology) {
    let services = topology.offers.map(\.service).filter { !$0.snat.isEmpty }
    let hosts = Dictionary(topology.guests.map { ($0.name, $0.host) }) { first, _ in first }
    guard let service = services.max(by: { $0.snatPortsPerMachine < $1.snatPortsPerMachine }),
      let busy = service.snat.first,
      let steady = service.snat.first(where: { hosts[$0] != hosts[busy] }), !topology.internet.isEmpty
    else { return nil }
    self.service = service
    self.busy = busy
    self.steady = steady
    heavy = services.filter { $0.name != service.name }.flatMap(\.snat).first { hosts[$0] == hosts[busy] }
    sites = topology.internet
    inside = topology.networks.flatMap(\.prefixes)
  }

  /// The host of a VM.
  func host(of machine: String, in lab: Lab) -> String {
    lab.topology.guests.first { $0.name == machine }?.host ?? ""
  }

  /// Where all servers answer.
  var targets: [OutboundLoad.Target] { sites.map(\.web) }
  /// Where the first server answers.
  var first: [OutboundLoad.Target] { Array(targets.prefix(1)) }
  /// Where the second server answers, or the only one.
  var second: [OutboundLoad.Target] { Array(targets.prefix(2).suffix(1)) }
}
