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

/// Draws values of every type that travels; extremes are as likely as the ordinary.
struct RandomValues {
  var generator: SeededGenerator

  init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

  mutating func flip() -> Bool { Bool.random(using: &generator) }
  mutating func number() -> UInt64 { [0, 1, .max, .random(in: 0...(.max), using: &generator)][pick(4)] }
  mutating func count() -> Int { [0, 1, Int.max, .random(in: 0...1_000_000, using: &generator)][pick(4)] }
  mutating func port() -> UInt16 { [0, 1, .max, .random(in: 0...(.max), using: &generator)][pick(4)] }
  mutating func pick(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &generator) }
  mutating func text() -> String { ["", "web", "größe \u{1F600}\n\"", "a-b.c", "null"][pick(5)] }
  mutating func address() -> IPv4Address { IPv4Address(number: UInt32(truncatingIfNeeded: number())) }
  mutating func prefix() -> IPv4Prefix { IPv4Prefix(address(), length: UInt8(pick(33))) }
  mutating func revision() -> Revision { Revision(number()) }
  mutating func epoch() -> Epoch { Epoch(number(), replica: number()) }
  mutating func one<Value>(of values: [Value]) -> Value { values[pick(values.count)] }

  mutating func list<Value>(_ draw: (inout RandomValues) -> Value) -> [Value] {
    var values: [Value] = []
    for _ in 0..<pick(4) { values.append(draw(&self)) }
    return values
  }
}

extension RandomValues {
  mutating func node() -> Node {
    Node(
      name: text(), address: address(), roles: list { $0.one(of: Role.allCases) },
      locators: flip() ? prefix() : nil)
  }

  mutating func network() -> VirtualNetwork { VirtualNetwork(name: text(), prefixes: list { $0.prefix() }) }

  mutating func attachment() -> Attachment {
    .networkNamespace(name: text(), device: text(), kind: one(of: DeviceKind.allCases))
  }

  mutating func machine() -> VirtualMachine {
    VirtualMachine(name: text(), network: text(), dip: address(), host: text(), attachment: attachment())
  }

  mutating func probe() -> Probe {
    Probe(
      method: flip() ? .tcp : .http(path: text()), port: port(), intervalMilliseconds: count(),
      timeoutMilliseconds: count(), threshold: pick(11))
  }

  mutating func backend() -> Backend { Backend(machine: text(), weight: pick(101)) }

  mutating func endpoint() -> Endpoint {
    Endpoint(
      name: text(), transport: one(of: TransportProtocol.allCases), port: port(), backendPort: port(),
      backends: list { $0.backend() }, probe: flip() ? probe() : nil, affinity: one(of: Affinity.allCases),
      idleTimeoutMilliseconds: count())
  }

  mutating func service() -> Service {
    Service(
      name: text(), vip: address(), endpoints: list { $0.endpoint() }, snat: list { $0.text() },
      snatVIPs: list { $0.address() }, snatPortsPerMachine: pick(70_000), fastPath: flip())
  }

  mutating func resource() -> Resource {
    switch pick(4) {
    case 0: .node(node())
    case 1: .virtualNetwork(network())
    case 2: .virtualMachine(machine())
    default: .service(service())
    }
  }

  mutating func resourceKey() -> ResourceKey { ResourceKey(one(of: Kind.allCases), text()) }

  mutating func operation() -> Operation {
    flip() ? .apply(list { $0.resource() }) : .delete(list { $0.resourceKey() })
  }

  mutating func finding() -> Finding { Finding(key: resourceKey(), path: text(), reason: text()) }

  mutating func change() -> Change {
    Change(
      key: resourceKey(), action: one(of: [.created, .configured, .unchanged, .deleted]),
      before: flip() ? resource() : nil, after: flip() ? resource() : nil)
  }

  mutating func outcome() -> Outcome {
    Outcome(
      revision: revision(), changes: list { $0.change() }, warnings: list { $0.finding() },
      errors: list { $0.finding() })
  }
}

extension RandomValues {
  mutating func endpointKey() -> EndpointKey {
    EndpointKey(vip: address(), transport: one(of: TransportProtocol.allCases), port: port())
  }

  mutating func statistics() -> NodeStatistics {
    NodeStatistics(
      bgp: list {
        BGPSessionStatus(
          peer: $0.address(), state: $0.text(), secondsInState: $0.count(), announced: $0.count())
      },
      counters: list {
        Counter(name: $0.text(), labels: [$0.text(): $0.text(), "vip": $0.text()], value: $0.number())
      },
      problems: list { $0.text() },
      paths: list {
        ForwardingPath(
          role: $0.one(of: Role.allCases), device: $0.text(), path: $0.text(), reason: $0.text())
      },
      ports: list { $0.portStatus() })
  }

  mutating func healthChange() -> HealthChange {
    HealthChange(locator: address(), key: endpointKey(), isHealthy: flip(), reason: text())
  }

  mutating func report() -> Report {
    switch pick(7) {
    case 5: .portRequest(PortRequest(locator: address()))
    case 6: .portsReturned(list { $0.lease() })
    case 0:
      .hello(
        Hello(node: text(), roles: list { $0.one(of: Role.allCases) }, epoch: epoch(), revision: revision()))
    case 1: .acknowledged(revision(), epoch())
    case 2: .refused(revision(), highest: epoch())
    case 3: .health(list { $0.healthChange() })
    default: .statistics(statistics())
    }
  }

  mutating func command() -> Command {
    switch pick(15) {
    case 8: .setKeys(keyRing())
    case 9: .setPortRange(lease())
    case 10: .removePortRange(range())
    case 11: .leasePortRange(lease())
    case 12: .recallPortRange(lease())
    case 13: .endPortRange(lease())
    case 0:
      .setMuxEndpoint(
        MuxEndpoint(
          key: endpointKey(), backends: list { MuxBackend(locator: $0.address(), weight: $0.pick(101)) },
          affinity: one(of: Affinity.allCases), idleTimeoutMilliseconds: count()))
    case 1: .removeMuxEndpoint(endpointKey())
    case 2: .announce(address())
    case 3: .withdraw(address())
    case 4: .setMuxes(list { $0.address() })
    case 5:
      .setMachine(
        HostMachine(
          name: text(), network: text(), dip: address(), locator: address(), attachment: attachment()))
    case 6: .removeMachine(address())
    case 7:
      .setHostEndpoint(
        HostEndpoint(
          locator: address(), key: endpointKey(), backendPort: port(), idleTimeoutMilliseconds: count(),
          probe: flip() ? probe() : nil))
    default: .removeHostEndpoint(locator: address(), key: endpointKey())
    }
  }

  mutating func keyRing() -> KeyRing {
    var ring = KeyRing()
    for _ in 0..<pick(5) { ring.rotate(low: number(), high: number()) }
    return ring
  }

  mutating func auditRecord() -> AuditRecord {
    AuditRecord(
      revision: revision(), author: Author(name: text(), at: number()), note: text(),
      items: list {
        AuditRecord.Item(
          key: $0.resourceKey(), action: $0.one(of: [.created, .configured, .unchanged, .deleted]))
      }, count: count())
  }

  mutating func managerGroup() -> ManagerGroup {
    ManagerGroup(
      answering: text(), cluster: number(),
      managers: list {
        ManagerStatus(
          node: $0.text(), address: ManagerAddress(host: $0.text(), port: $0.port()), replica: $0.number(),
          role: $0.one(of: ManagerStatus.Role.allCases), isVoter: $0.flip(), ballot: $0.epoch(),
          committed: $0.number(), snapshot: $0.number(), seconds: $0.number(),
          silentMilliseconds: $0.number())
      })
  }

  mutating func update() -> Update {
    Update(epoch: epoch(), revision: revision(), isSnapshot: flip(), commands: list { $0.command() })
  }

  mutating func serviceStatus() -> ServiceStatus {
    let service = service()
    let backends = service.endpoints.map { _ in
      list {
        BackendStatus(
          backend: $0.backend(), locator: $0.address(),
          health: $0.one(of: [.unknown, .healthy, .unhealthy, .unprobed]), reason: $0.text())
      }
    }
    return ServiceStatus(service: service, backends: backends, isAnnounced: flip())
  }

  mutating func state() -> ClusterState {
    ClusterState(
      revision: revision(), epoch: epoch(),
      nodes: list {
        NodeStatus(
          node: $0.node(), isConnected: $0.flip(), revision: $0.revision(),
          statistics: $0.flip() ? $0.statistics() : nil)
      },
      networks: list { $0.network() },
      machines: list { MachineStatus(machine: $0.machine(), locator: $0.address()) },
      services: list { $0.serviceStatus() }, ports: list { $0.portPoolStatus() })
  }
}
