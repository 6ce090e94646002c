import Control
import Wire

/// SplitMix64: the same values for the same seed on every machine.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// Draws resources that a manifest can say.
struct RandomResources {
  var generator: SeededGenerator

  init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

  mutating func pick(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }
  mutating func flip() -> Bool { Bool.random(using: &generator) }
  mutating func port() -> UInt16 { UInt16(pick(1...65535)) }
  mutating func address() -> IPv4Address {
    IPv4Address(number: UInt32.random(in: 0...(.max), using: &generator))
  }
  mutating func prefix() -> IPv4Prefix { IPv4Prefix(address(), length: UInt8(pick(0...32))) }

  /// Among them words that YAML takes for something else.
  mutating func name() -> String {
    let words = ["a", "null", "true", "no", "on", "123", "0", "1e5", "y", "-", "a-1", "0x1f", "---"]
    return words[pick(0...(words.count - 1))]
  }

  mutating func list<Value>(_ lengths: ClosedRange<Int>, _ draw: (inout Self) -> Value) -> [Value] {
    var values: [Value] = []
    for _ in 0..<pick(lengths) { values.append(draw(&self)) }
    return values
  }

  mutating func duration(_ range: ClosedRange<Int>) -> Int {
    let raw = pick(range)
    let unit = [1, 1000, 60_000, 3_600_000][pick(0...3)]
    return raw / unit * unit >= range.lowerBound ? raw / unit * unit : raw
  }

  mutating func resource() -> Resource {
    switch pick(0...3) {
    case 0:
      let roles = Role.allCases.shuffled(using: &generator).prefix(pick(1...3))
      return .node(
        Node(
          name: name(), address: address(), roles: roles.sorted { $0.rawValue < $1.rawValue },
          locators: flip() ? prefix() : nil))
    case 1: return .virtualNetwork(VirtualNetwork(name: name(), prefixes: list(1...4) { $0.prefix() }))
    case 2:
      return .virtualMachine(
        VirtualMachine(
          name: name(), network: name(), dip: address(), host: name(),
          attachment: .networkNamespace(
            name: "ns\"'#\\&*:\(name())", device: flip() ? "eth0" : "true", kind: flip() ? .tun : .veth)))
    default:
      return .service(
        Service(
          name: name(), vip: address(), endpoints: list(0...4) { $0.endpoint() },
          snat: list(0...3) { $0.name() }, snatVIPs: list(0...2) { $0.address() },
          snatPortsPerMachine: 8 * pick(1...8064), fastPath: flip()))
    }
  }

  mutating func endpoint() -> Endpoint {
    let transport = flip() ? TransportProtocol.tcp : .udp
    return Endpoint(
      name: name(), transport: transport, port: port(), backendPort: port(),
      backends: list(0...4) { Backend(machine: $0.name(), weight: $0.pick(0...100)) },
      probe: flip() ? probe() : nil,
      affinity: Affinity.allCases[pick(0...2)], idleTimeoutMilliseconds: duration(1...86_400_000))
  }

  mutating func probe() -> Probe {
    let interval = duration(100...300_000)
    let paths = ["/", "/healthz?a=b#c", "/{x}:[y]'\"%20*&!|>"]
    return Probe(
      method: flip() ? .tcp : .http(path: paths[pick(0...2)]), port: port(), intervalMilliseconds: interval,
      timeoutMilliseconds: duration(1...interval), threshold: pick(1...10))
  }
}
