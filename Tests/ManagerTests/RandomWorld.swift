import Control
import Foundation
import Manager
import Wire

/// Seeds of each of the 16 blocks of random histories: `ANANTA_SEEDS=256 swift test` runs thousands.
let seedsPerBlock = ProcessInfo.processInfo.environment["ANANTA_SEEDS"].flatMap { UInt64($0) } ?? 24

/// Numbers from a seed (SplitMix64, Steele et al., OOPSLA 2014): the same seed gives the same history
/// everywhere.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return z ^ z >> 31
  }

  mutating func below(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &self) }

  mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
}

/// Makes up operations about a handful of names, so that they often meet.
struct RandomWorld {
  var generator: SeededGenerator
  private var isCalm = false

  init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

  static let nodeNames = ["n0", "n1", "n2", "n3", "n4"]
  static let machineNames = ["m0", "m1", "m2", "m3", "m4", "m5"]
  static let serviceNames = ["s0", "s1", "s2"]

  /// A data centre with everything in it, which is always accepted.
  mutating func foundation() -> Control.Operation {
    isCalm = true
    defer { isCalm = false }
    return .apply(
      Self.nodeNames.indices.map { .node(node($0)) } + [network(0), network(1)].map(Resource.virtualNetwork)
        + Self.machineNames.indices.map { .virtualMachine(machine($0)) }
        + Self.serviceNames.indices.map { .service(service($0)) })
  }

  /// One to three resources, created, changed or removed; often one that is refused.
  mutating func operation() -> Control.Operation {
    if generator.chance(15) { return .delete((0...generator.below(2)).map { _ in resource().key }) }
    return .apply((0...generator.below(3)).map { _ in resource() })
  }

  private mutating func resource() -> Resource {
    switch generator.below(10) {
    case 0...1: .node(node(generator.below(Self.nodeNames.count)))
    case 2: .virtualNetwork(network(generator.below(2)))
    case 3...5: .virtualMachine(machine(generator.below(Self.machineNames.count)))
    default: .service(service(generator.below(Self.serviceNames.count)))
    }
  }

  /// Chance, except that the foundation holds nothing odd.
  private mutating func odds(_ percent: Int) -> Bool {
    isCalm ? percent >= 50 : generator.chance(percent)
  }

  private mutating func node(_ index: Int) -> Node {
    let isHost = index < 3 ? !odds(3) : odds(10)
    var roles: [Role] = isHost ? [.host] : []
    if index >= 3 || odds(10) { roles.append(.mux) }
    if roles.isEmpty { roles = [.manager] }
    let third = UInt8(index * 2 + (odds(10) ? 1 : 0))
    return Node(
      name: Self.nodeNames[index], address: IPv4Address(10, 1, UInt8(index), odds(90) ? 2 : 3),
      roles: roles, locators: isHost ? IPv4Prefix(IPv4Address(10, 64, third, 0), length: 28) : nil)
  }

  private func network(_ index: Int) -> VirtualNetwork {
    VirtualNetwork(name: "v\(index)", prefixes: [IPv4Prefix(IPv4Address(10, 0, 0, 0), length: 24)])
  }

  private mutating func machine(_ index: Int) -> VirtualMachine {
    VirtualMachine(
      name: Self.machineNames[index], network: odds(95) ? "v0" : "v1",
      dip: IPv4Address(10, 0, 0, UInt8(index * 2 + generator.below(2) + 1)),
      host: Self.nodeNames[generator.below(3)],
      attachment: .networkNamespace(name: Self.machineNames[index], device: "eth0"))
  }

  private mutating func service(_ index: Int) -> Service {
    let vip = odds(80) ? index : generator.below(4)
    let count = generator.below(3) + 1
    return Service(
      name: Self.serviceNames[index], vip: IPv4Address(203, 0, 113, UInt8(vip)),
      endpoints: (0..<count).map { endpoint($0) },
      snat: Self.machineNames.indices.filter { $0 % 3 == index && odds(70) }.map { Self.machineNames[$0] },
      snatVIPs: odds(20) ? [IPv4Address(203, 0, 113, UInt8(100 + index))] : [],
      snatPortsPerMachine: 8 * (1 + generator.below(6)), fastPath: odds(10))
  }

  private mutating func endpoint(_ index: Int) -> Endpoint {
    var names = Self.machineNames
    names.shuffle(using: &generator)
    let backends = names.prefix(generator.below(4)).map { name in
      Backend(machine: name, weight: odds(15) ? 0 : generator.below(3) + 1)
    }
    let probe: Probe? =
      odds(70)
      ? Probe(
        method: odds(50) ? .tcp : .http(path: "/"), port: odds(80) ? 8080 : 8081,
        intervalMilliseconds: odds(80) ? 2000 : 3000) : nil
    return Endpoint(
      name: "e\(index)", transport: index == 1 ? .udp : .tcp, port: odds(10) ? 1030 : UInt16(80 + index),
      backendPort: odds(90) ? 8080 : 8081, backends: backends, probe: probe,
      idleTimeoutMilliseconds: 60_000)
  }
}
