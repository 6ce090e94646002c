import Control
import Manifest
import Wire

/// The `status` of `-o json`, and the items of endpoints and backends.
enum StatusValue {
  static func of(_ node: NodeStatus) -> StructuredValue {
    let value = StructuredValue.fields(
      ("connected", .boolean(node.isConnected)), ("revision", .counter(node.revision.number)))
    guard let statistics = node.statistics else { return value }
    let sessions = statistics.bgp.map { session in
      StructuredValue.fields(
        ("peer", .text("\(session.peer)")), ("state", .text(session.state)),
        ("secondsInState", .integer(session.secondsInState)), ("announced", .integer(session.announced)))
    }
    let counters = statistics.counters.sorted(by: precedes).map { counter in
      let labels = counter.labels.sorted { $0.key < $1.key }.map {
        StructuredField(key: $0.key, value: .text($0.value))
      }
      return StructuredValue.fields(
        ("name", .text(counter.name)), ("labels", .mapping(labels)), ("value", .counter(counter.value)))
    }
    return value.adding("bgp", .list(sessions)).adding("problems", .texts(statistics.problems))
      .adding("counters", .list(counters))
  }

  static func of(_ service: ServiceStatus, _ traffic: Traffic) -> StructuredValue {
    let endpoints = zip(service.service.endpoints, service.backends).map { endpoint, backends in
      let key = EndpointKey(vip: service.service.vip, transport: endpoint.transport, port: endpoint.port)
      return StructuredValue.fields(
        ("name", .text(endpoint.name)), ("backends", .list(backends.map { of($0, key, traffic) })))
    }
    return .fields(("announced", .boolean(service.isAnnounced)), ("endpoints", .list(endpoints)))
  }

  static func of(
    _ service: Service, _ endpoint: Endpoint, _ backends: [BackendStatus], _ traffic: Traffic
  ) -> StructuredValue {
    let key = EndpointKey(vip: service.vip, transport: endpoint.transport, port: endpoint.port)
    return .fields(
      ("service", .text(service.name)), ("endpoint", .text(endpoint.name)), ("vip", .text("\(service.vip)")),
      ("protocol", .text("\(endpoint.transport)")), ("port", .integer(Int(endpoint.port))),
      ("backends", .list(backends.map { of($0, key, traffic) })))
  }

  static func of(_ backend: BackendStatus, _ key: EndpointKey, _ traffic: Traffic) -> StructuredValue {
    let value = StructuredValue.fields(
      ("vm", .text(backend.backend.machine)), ("weight", .integer(backend.backend.weight)),
      ("locator", .text("\(backend.locator)")), ("health", .text(backend.health.rawValue)),
      ("reason", .text(backend.reason)))
    guard let counted = traffic.backend(key, backend.locator) else { return value }
    return value.adding("packets", .counter(counted.packets)).adding("bytes", .counter(counted.bytes))
      .adding("connections", .counter(counted.connections))
  }

  static func of(_ ports: PortStatus) -> StructuredValue {
    .fields(
      ("inUse", .integer(ports.portsInUse)), ("free", .integer(ports.freePorts)),
      ("connections", .integer(ports.flows)), ("held", .integer(ports.held)),
      ("requests", .counter(ports.requests)), ("refused", .counter(ports.refused)),
      ("dropped", .counter(ports.dropped)), ("waitMicrosecondsP50", .counter(ports.waitMicrosecondsP50)),
      ("waitMicrosecondsP99", .counter(ports.waitMicrosecondsP99)))
  }

  static func of(_ ports: PortSum) -> StructuredValue {
    .fields(
      ("inUse", .integer(ports.portsInUse)), ("connections", .integer(ports.flows)),
      ("held", .integer(ports.held)), ("requests", .counter(ports.requests)),
      ("refused", .counter(ports.refused)), ("dropped", .counter(ports.dropped)),
      ("waitMicrosecondsP99", .counter(ports.waitMicrosecondsP99)))
  }

  private static func precedes(_ a: Counter, _ b: Counter) -> Bool {
    guard a.name == b.name else { return a.name < b.name }
    let labels = [a, b].map { $0.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" } }
    return labels[0].lexicographicallyPrecedes(labels[1])
  }
}

extension StructuredValue {
  /// The fields of both mappings.
  func joined(_ other: StructuredValue) -> StructuredValue {
    guard case .mapping(let first) = self, case .mapping(let second) = other else { return self }
    return .mapping(first + second)
  }
}
