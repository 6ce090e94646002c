import Control
import Wire

extension Service: MessageValue {
  var proto: ProtoService {
    var proto = ProtoService()
    proto.name = name
    proto.vip = vip.number
    proto.endpoints = endpoints.map(\.proto)
    proto.snat = snat
    proto.snatVips = snatVIPs.map(\.number)
    proto.snatPortsPerMachine = UInt32(clamping: snatPortsPerMachine)
    proto.fastPath = fastPath
    return proto
  }

  init(_ proto: ProtoService) throws(MalformedMessage) {
    self.init(
      name: proto.name, vip: try MessageField.address("vip", proto.hasVip, proto.vip),
      endpoints: try MessageField.list("endpoints", proto.endpoints), snat: proto.snat,
      snatVIPs: proto.snatVips.map { IPv4Address(number: $0) },
      snatPortsPerMachine: proto.hasSnatPortsPerMachine
        ? Int(proto.snatPortsPerMachine) : Control.Limits.defaultSNATPortsPerMachine,
      fastPath: proto.fastPath)
  }
}

extension Endpoint: MessageValue {
  var proto: ProtoEndpoint {
    var proto = ProtoEndpoint()
    proto.name = name
    proto.transport = transport.proto
    proto.port = UInt32(port)
    proto.backendPort = UInt32(backendPort)
    proto.backends = backends.map(\.proto)
    if let probe { proto.probe = probe.proto }
    proto.affinity = affinity.proto
    proto.idleTimeoutMilliseconds = UInt64(clamping: idleTimeoutMilliseconds)
    return proto
  }

  init(_ proto: ProtoEndpoint) throws(MalformedMessage) {
    self.init(
      name: proto.name, transport: try TransportProtocol.read("transport", proto.transport),
      port: try MessageField.port("port", proto.port),
      backendPort: try MessageField.port("backend_port", proto.backendPort),
      backends: try MessageField.list("backends", proto.backends),
      probe: try MessageField.optional("probe", proto.hasProbe, proto.probe),
      affinity: try Affinity.read("affinity", proto.affinity),
      idleTimeoutMilliseconds: try MessageField.integer(
        "idle_timeout_milliseconds", proto.idleTimeoutMilliseconds))
  }
}

extension Backend: MessageValue {
  var proto: ProtoBackend {
    var proto = ProtoBackend()
    proto.machine = machine
    proto.weight = UInt32(clamping: weight)
    return proto
  }

  init(_ proto: ProtoBackend) throws(MalformedMessage) {
    self.init(machine: proto.machine, weight: Int(proto.weight))
  }
}

extension Probe: MessageValue {
  var proto: ProtoProbe {
    var proto = ProtoProbe()
    switch method {
    case .tcp: proto.tcp = ProtoProbe.TCP()
    case .http(let path): proto.http.path = path
    }
    proto.port = UInt32(port)
    proto.intervalMilliseconds = UInt64(clamping: intervalMilliseconds)
    proto.timeoutMilliseconds = UInt64(clamping: timeoutMilliseconds)
    proto.threshold = UInt32(clamping: threshold)
    return proto
  }

  init(_ proto: ProtoProbe) throws(MalformedMessage) {
    let method: Method =
      switch try MessageField.oneOf("method", proto.method) {
      case .tcp: .tcp
      case .http(let http): .http(path: http.path)
      }
    self.init(
      method: method, port: try MessageField.port("port", proto.port),
      intervalMilliseconds: try MessageField.integer("interval_milliseconds", proto.intervalMilliseconds),
      timeoutMilliseconds: try MessageField.integer("timeout_milliseconds", proto.timeoutMilliseconds),
      threshold: Int(proto.threshold))
  }
}
