import Control
import Wire

/// Makes up a small data centre, and operations about a handful of names, so that they often meet.
struct Workload: Sendable {
  let hosts: Int
  let muxes: Int
  private static let machines = 4
  private static let services = 3

  init(_ chance: inout Chance) {
    hosts = chance.number(2...3)
    muxes = chance.number(1...3)
  }

  init(hosts: Int, muxes: Int) {
    self.hosts = hosts
    self.muxes = muxes
  }

  var nodeNames: [String] { (0..<hosts + muxes).map { "node\($0)" } }

  /// A data centre with everything in it, which is always accepted.
  func foundation(_ chance: inout Chance) -> Operation {
    .apply(
      nodeNames.indices.map { .node(node($0)) } + [.virtualNetwork(network)]
        + (0..<Self.machines).map { .virtualMachine(machine($0, &chance)) }
        + (0..<Self.services).map { .service(service($0, &chance)) })
  }

  /// One or two resources, created, changed or removed; sometimes one that is refused.
  func operation(_ chance: inout Chance) -> Operation {
    switch chance.number(0...19) {
    case 0: .delete([ResourceKey(.service, "service\(chance.number(0...Self.services - 1))")])
    case 1: .delete([ResourceKey(.virtualMachine, "vm\(chance.number(0...Self.machines - 1))")])
    case 2: .delete([ResourceKey(.node, "node\(hosts)")])
    case 3: .apply([.node(node(chance.number(0...hosts + muxes - 1)))])
    case 4: .apply([.service(wrong(service(0, &chance)))])
    case 5...9: .apply([.virtualMachine(machine(chance.number(0...Self.machines - 1), &chance))])
    default: .apply([.service(service(chance.number(0...Self.services - 1), &chance))])
    }
  }

  /// Ports are called back: of a VM, of a VIP, or one range.
  func recall(_ chance: inout Chance) -> PortRecall {
    let vip = IPv4Address(203, 0, 113, UInt8(chance.number(0...Self.services - 1) + 1))
    let range = PortRange(vip: vip, firstPort: 1024 + 8 * UInt16(chance.number(0...7)))
    switch chance.number(0...2) {
    case 0: return .vip(vip)
    case 1: return range.map { .range($0) } ?? .vip(vip)
    default: return .machine("vm\(chance.number(0...Self.machines - 1))")
    }
  }

  private func node(_ index: Int) -> Node {
    guard index < hosts else {
      return Node(name: "node\(index)", address: IPv4Address(10, 1, UInt8(index), 2), roles: [.mux])
    }
    return Node(
      name: "node\(index)", address: IPv4Address(10, 1, UInt8(index), 2), roles: [.host],
      locators: IPv4Prefix(IPv4Address(10, 64, UInt8(index), 0), length: 28))
  }

  private var network: VirtualNetwork {
    VirtualNetwork(name: "tenant", prefixes: [IPv4Prefix(IPv4Address(10, 0, 0, 0), length: 24)])
  }

  private func machine(_ index: Int, _ chance: inout Chance) -> VirtualMachine {
    VirtualMachine(
      name: "vm\(index)", network: "tenant", dip: IPv4Address(10, 0, 0, UInt8(index + 1)),
      host: "node\(chance.number(0...hosts - 1))",
      attachment: .networkNamespace(name: "vm\(index)", device: "eth0"))
  }

  private func service(_ index: Int, _ chance: inout Chance) -> Service {
    Service(
      name: "service\(index)", vip: IPv4Address(203, 0, 113, UInt8(index + 1)),
      endpoints: (0...chance.number(0...1)).map { endpoint($0, &chance) },
      snat: (0..<Self.machines).filter { $0 % Self.services == index && chance.happens(perThousand: 800) }
        .map { "vm\($0)" },
      snatVIPs: chance.happens(perThousand: 300) ? [IPv4Address(203, 0, 113, UInt8(index + 101))] : [],
      snatPortsPerMachine: 8 * chance.number(1...6))
  }

  private func endpoint(_ index: Int, _ chance: inout Chance) -> Endpoint {
    let first = chance.number(0...Self.machines - 1)
    let backends = (0...chance.number(0...2)).map { offset in
      Backend(machine: "vm\((first + offset) % Self.machines)", weight: chance.number(0...3))
    }
    let probe = Probe(method: .tcp, port: UInt16(8080 + chance.number(0...4) / 4))
    return Endpoint(
      name: "e\(index)", transport: index == 0 ? .tcp : .udp,
      port: chance.happens(perThousand: 100) ? 1030 : UInt16(80 + index), backendPort: 8080,
      backends: backends, probe: chance.happens(perThousand: 700) ? probe : nil,
      idleTimeoutMilliseconds: 60_000 + 1000 * chance.number(0...60))
  }

  /// A service whose backend does not exist.
  private func wrong(_ service: Service) -> Service {
    var service = service
    service.endpoints[0].backends = [Backend(machine: "nobody")]
    return service
  }
}
