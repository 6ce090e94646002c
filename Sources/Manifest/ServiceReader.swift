import Control
import Wire

/// Reads the `spec` of a Service.
enum ServiceReader {
  static func service(_ spec: inout YAMLMapping, name: String) -> Service? {
    let vip = spec.required("vip", as: .address)
    let endpoints = spec.optional("endpoints", as: .list(of: .mapping(endpoint)), default: [])
    let snat = spec.optional("snat", as: .list(of: .name), default: [])
    let vips = spec.optional("snatVIPs", as: .list(of: .address), default: [])
    let ports = spec.optional(
      "snatPortsPerMachine", as: .leasedPorts, default: Control.Limits.defaultSNATPortsPerMachine)
    let fastPath = spec.optional("fastPath", as: .boolean, default: false)
    return vip.map {
      Service(
        name: name, vip: $0, endpoints: endpoints, snat: snat, snatVIPs: vips, snatPortsPerMachine: ports,
        fastPath: fastPath)
    }
  }

  private static func endpoint(_ spec: inout YAMLMapping) -> Endpoint? {
    let transport = spec.required("protocol", as: .transport)
    let port = spec.required("port", as: .port)
    let backendPort = spec.optional("backendPort", as: .port) ?? port
    let name = spec.optional("name", as: .name)
    let affinity = spec.optional("affinity", as: .oneOf(Affinity.self), default: .fiveTuple)
    let idle = spec.optional("idleTimeout", as: .duration(1...Limits.longestDurationMilliseconds))
    let backends = spec.required("backends", as: .list(of: .mapping(backend)))
    let probe = spec.optional(
      "probe", as: .mapping { Self.probe(&$0, transport: transport, backendPort: backendPort) })
    guard let transport, let port, let backendPort, let backends else { return nil }
    return Endpoint(
      name: name ?? "\(transport)-\(port)", transport: transport, port: port, backendPort: backendPort,
      backends: backends, probe: probe, affinity: affinity,
      idleTimeoutMilliseconds: idle ?? (transport == .tcp ? 240_000 : 60_000))
  }

  private static func backend(_ spec: inout YAMLMapping) -> Backend? {
    let machine = spec.required("vm", as: .name)
    let weight = spec.optional("weight", as: .integer(0...100), default: 1)
    return machine.map { Backend(machine: $0, weight: weight) }
  }

  private static func probe(
    _ spec: inout YAMLMapping, transport: TransportProtocol?, backendPort: UInt16?
  ) -> Probe? {
    let tcp = spec.optional("tcp", as: .mapping { _ in Probe.Method.tcp })
    let http = spec.optional(
      "http",
      as: .mapping(expects: "a mapping with a path") { (http: inout YAMLMapping) -> Probe.Method? in
        http.required("path", as: .httpPath).map { .http(path: $0) }
      })
    let port = probePort(&spec, transport: transport, backendPort: backendPort)
    let interval = spec.optional("interval", as: .duration(100...300_000), default: 2000)
    let timeout = spec.optional("timeout", as: .duration(1...300_000))
    let threshold = spec.optional("threshold", as: .integer(1...10), default: 2)
    if spec.has("tcp") == spec.has("http") {
      spec.errors.add("must have either tcp or http", at: spec.value)
    }
    if let timeout, timeout > interval {
      let text = DurationText.text(milliseconds: interval)
      let position = spec.position(of: "timeout")
      spec.errors.add(
        "must not be longer than the interval, \(text)", at: position, path: spec.value.path(of: "timeout"))
    }
    guard let method = tcp ?? http, let port else { return nil }
    return Probe(
      method: method, port: port, intervalMilliseconds: interval,
      timeoutMilliseconds: timeout ?? min(1000, interval),
      threshold: threshold)
  }

  private static func probePort(
    _ spec: inout YAMLMapping, transport: TransportProtocol?, backendPort: UInt16?
  ) -> UInt16? {
    // A probe speaks TCP; that a UDP service answers TCP on the same port cannot be assumed.
    transport == .udp ? spec.required("port", as: .port) : spec.optional("port", as: .port) ?? backendPort
  }
}

extension YAMLType where Value == TransportProtocol {
  /// `tcp` or `udp`.
  static var transport: YAMLType { .oneOf([("tcp", .tcp), ("udp", .udp)]) }
}

extension YAMLType where Value == Int {
  /// How many ports a VM may have: whole ranges.
  static var leasedPorts: YAMLType {
    let (range, step) = (Control.Limits.snatPortsPerMachine, PortRange.portCount)
    let expects = "a multiple of \(step) from \(range.lowerBound) to \(range.upperBound)"
    return YAMLType(expects: expects) { value, errors in
      guard let number = integer(range).read(value, errors) else { return nil }
      guard number.isMultiple(of: step) else {
        errors.add("must be \(expects), not \(number)", at: value)
        return nil
      }
      return number
    }
  }
}

extension YAMLType where Value == String {
  /// The path of an HTTP request: visible ASCII that begins with `/`.
  static var httpPath: YAMLType {
    string.checked(expects: "a path that begins with / and has no spaces") { path in
      path.hasPrefix("/") && path.utf8.count <= Limits.httpPathLength
        && path.utf8.allSatisfy { $0 > 32 && $0 < 127 }
    }
  }
}
