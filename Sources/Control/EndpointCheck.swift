/// Judges one endpoint of a service.
struct EndpointCheck {
  let index: Int
  let service: Service
  let around: Neighborhood
  private var key: ResourceKey { ResourceKey(.service, service.name) }
  private var path: String { "spec.endpoints[\(index)]" }
  private var endpoint: Endpoint { service.endpoints[index] }

  /// Prepares the judgement.
  init(_ index: Int, of service: Service, around: Neighborhood) {
    self.index = index
    self.service = service
    self.around = around
  }

  /// Notes all that is wrong.
  func run(_ findings: inout Findings) {
    checkName(&findings)
    checkPorts(&findings)
    let idle = Limits.idleTimeoutMilliseconds
    if !idle.contains(endpoint.idleTimeoutMilliseconds) {
      findings.refuse(
        key, "\(path).idleTimeout", "\(endpoint.idleTimeoutMilliseconds)ms is not between 1s and 24h")
    }
    checkBackends(&findings)
    if let probe = endpoint.probe { check(probe, &findings) }
  }

  private func checkName(_ findings: inout Findings) {
    if let reason = NameCheck.label(endpoint.name) { findings.refuse(key, "\(path).name", reason) }
    if let twin = service.endpoints[..<index].firstIndex(where: { $0.name == endpoint.name }) {
      findings.refuse(key, "\(path).name", "\(endpoint.name) is the name of spec.endpoints[\(twin)] already")
    }
  }

  private func checkPorts(_ findings: inout Findings) {
    if endpoint.port == 0 {
      findings.refuse(key, "\(path).port", "0 is not a port; give one from 1 to 65535")
    }
    if endpoint.backendPort == 0 {
      findings.refuse(key, "\(path).backendPort", "0 is not a port; give one from 1 to 65535")
    }
    let twin = service.endpoints[..<index].firstIndex { other in
      other.transport == endpoint.transport && other.port == endpoint.port
    }
    if let twin {
      findings.refuse(
        key, "\(path).port",
        "\(endpoint.port)/\(endpoint.transport) is served by spec.endpoints[\(twin)] already")
    }
  }

  private func checkBackends(_ findings: inout Findings) {
    guard endpoint.backends.count <= Limits.backendsPerEndpoint else {
      findings.refuse(
        key, "\(path).backends",
        "holds \(endpoint.backends.count) backends; at most \(Limits.backendsPerEndpoint) are allowed")
      return
    }
    var seen: Set<String> = []
    for (position, backend) in endpoint.backends.enumerated() {
      let place = "\(path).backends[\(position)]"
      if !seen.insert(backend.machine).inserted {
        findings.refuse(
          key, "\(place).vm", "VirtualMachine/\(backend.machine) is a backend of this endpoint already")
      }
      if around.state.machines[backend.machine] == nil {
        findings.refuse(
          key, "\(place).vm",
          "there is no VirtualMachine/\(backend.machine); apply it with or before this service")
      }
      if !Limits.weight.contains(backend.weight) {
        findings.refuse(key, "\(place).weight", "\(backend.weight) is not between 0 and 100")
      }
    }
  }

  private func check(_ probe: Probe, _ findings: inout Findings) {
    if probe.port == 0 {
      findings.refuse(key, "\(path).probe.port", "0 is not a port; give one from 1 to 65535")
    }
    let intervals = Limits.probeIntervalMilliseconds
    if !intervals.contains(probe.intervalMilliseconds) {
      findings.refuse(
        key, "\(path).probe.interval", "\(probe.intervalMilliseconds)ms is not between 100ms and 5m")
    }
    if probe.timeoutMilliseconds < 1 || probe.timeoutMilliseconds > probe.intervalMilliseconds {
      findings.refuse(
        key, "\(path).probe.timeout",
        "\(probe.timeoutMilliseconds)ms is not between 1ms and the interval, \(probe.intervalMilliseconds)ms")
    }
    if !Limits.probeThreshold.contains(probe.threshold) {
      findings.refuse(key, "\(path).probe.threshold", "\(probe.threshold) is not between 1 and 10")
    }
    if case .http(let target) = probe.method, let reason = Self.fault(of: target) {
      findings.refuse(key, "\(path).probe.http.path", reason)
    }
  }

  /// Why this cannot stand in the first line of a request (RFC 9112, section 3.2.1); nil if it can.
  private static func fault(of target: String) -> String? {
    guard target.hasPrefix("/") else { return "\"\(target)\" does not begin with /" }
    guard target.utf8.count <= Limits.probePathLength else {
      return "has \(target.utf8.count) characters; at most \(Limits.probePathLength) are allowed"
    }
    guard target.utf8.allSatisfy({ $0 > UInt8(ascii: " ") && $0 < 127 && $0 != UInt8(ascii: "#") }) else {
      return "may hold only printable ASCII without spaces and #; percent-encode the rest"
    }
    return nil
  }
}
