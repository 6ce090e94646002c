import Control
import Dataplane
import HostAgent
import Wire

/// What a node's data path makes of what the node was told: the product's own VIP map of a MUX, and map of a host.
struct DataPath: Sendable {
  /// A prime of slots, small since a table is made for each change.
  private static let slots = 61
  private static let mtu = 1480
  /// Clients whose connections are asked about.
  private static let clients: [UInt16] = [1_025, 4_096, 20_011, 33_333, 47_110, 65_535]

  private(set) var map = VIPMap(seed: 7, slotCount: slots, counterRows: 256)
  private(set) var host = HostMap.empty

  /// Follows the node as the agent's roles do.
  mutating func follow(_ node: NodeState, at time: Moment) throws(Finding) {
    do throws(VIPMapError) {
      let now = UInt32(time / .milliseconds(1))
      map = try map.updated(
        endpoints: node.muxEndpoints.values.map(Self.configuration), vips: node.announced.sorted(), now: now)
    } catch {
      throw Finding(rule: .agreement, text: "a MUX cannot serve what it is told: \(error)")
    }
    do throws(HostMapError) {
      let machines = node.machines.values.sorted { $0.locator < $1.locator }
      host = try HostMap(
        muxes: node.muxes,
        machines: machines.enumerated().map { index, machine in
          HostMap.Machine(index: UInt32(index), locator: machine.locator, dip: machine.dip, mtu: Self.mtu)
        },
        endpoints: machines.enumerated().flatMap { index, machine in
          Self.endpoints(of: machine.locator, at: UInt32(index), in: node)
        })
    } catch {
      throw Finding(rule: .agreement, text: "a host cannot serve what it is told: \(error)")
    }
  }

  /// Where a MUX sends each client of each endpoint, in order.
  var choices: [IPv4Address?] {
    map.endpoints.flatMap { endpoint in
      Self.clients.map { port in
        map.backend(
          of: FiveTuple(
            source: IPv4Address(198, 51, 100, 10), destination: endpoint.vip, sourcePort: port,
            destinationPort: endpoint.port, proto: endpoint.proto))
      }
    }
  }

  private static func endpoints(of locator: IPv4Address, at index: UInt32, in node: NodeState)
    -> [HostMap.Endpoint]
  {
    let endpoints = node.hostEndpoints[locator, default: [:]].values.sorted { $0.key < $1.key }
    return endpoints.map { endpoint in
      HostMap.Endpoint(
        machine: index, vip: endpoint.key.vip, proto: IPProtocol(endpoint.key.transport.rawValue),
        port: endpoint.key.port, backendPort: endpoint.backendPort,
        idleMilliseconds: UInt32(endpoint.idleTimeoutMilliseconds))
    }
  }

  private static func configuration(_ endpoint: MuxEndpoint) -> EndpointConfiguration {
    EndpointConfiguration(
      vip: endpoint.key.vip, port: endpoint.key.port, proto: IPProtocol(endpoint.key.transport.rawValue),
      idleTimeout: UInt32(endpoint.idleTimeoutMilliseconds),
      backends: endpoint.backends.map { WeightedBackend(locator: $0.locator, weight: $0.weight) })
  }
}
