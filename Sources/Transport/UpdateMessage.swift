import Control
import Wire

extension Update: MessageValue {
  var proto: ProtoUpdate {
    var proto = ProtoUpdate()
    proto.epoch = epoch.proto
    proto.revision = revision.number
    proto.isSnapshot = isSnapshot
    proto.commands = commands.map(\.proto)
    return proto
  }

  init(_ proto: ProtoUpdate) throws(MalformedMessage) {
    self.init(
      epoch: try MessageField.value("epoch", proto.hasEpoch, proto.epoch),
      revision: Revision(proto.revision), isSnapshot: proto.isSnapshot,
      commands: try MessageField.list("commands", proto.commands))
  }
}

extension Command: MessageValue {
  var proto: ProtoCommand {
    var proto = ProtoCommand()
    switch self {
    case .setMuxEndpoint(let endpoint): proto.setMuxEndpoint = endpoint.proto
    case .removeMuxEndpoint(let key): proto.removeMuxEndpoint = key.proto
    case .announce(let vip): proto.announce = vip.number
    case .withdraw(let vip): proto.withdraw = vip.number
    case .setMuxes(let addresses):
      proto.setMuxes = ProtoMuxes()
      proto.setMuxes.addresses = addresses.map(\.number)
    case .setLocators(let prefix): proto.setLocators = prefix.proto
    case .setMachine(let machine): proto.setMachine = machine.proto
    case .removeMachine(let locator): proto.removeMachine = locator.number
    case .setHostEndpoint(let endpoint): proto.setHostEndpoint = endpoint.proto
    case .removeHostEndpoint(let locator, let key):
      proto.removeHostEndpoint.locator = locator.number
      proto.removeHostEndpoint.key = key.proto
    case .setPortRange(let lease): proto.setPortRange = lease.proto
    case .removePortRange(let range): proto.removePortRange = range.proto
    case .leasePortRange(let lease): proto.leasePortRange = lease.proto
    case .recallPortRange(let lease): proto.recallPortRange = lease.proto
    case .endPortRange(let lease): proto.endPortRange = lease.proto
    case .setKeys(let ring): proto.setKeys = ring.proto
    }
    return proto
  }

  init(_ proto: ProtoCommand) throws(MalformedMessage) {
    switch try MessageField.oneOf("command", proto.command) {
    case .setMuxEndpoint(let message):
      self = .setMuxEndpoint(try MessageField.within("set_mux_endpoint", message))
    case .removeMuxEndpoint(let message):
      self = .removeMuxEndpoint(try MessageField.within("remove_mux_endpoint", message))
    case .announce(let number): self = .announce(IPv4Address(number: number))
    case .withdraw(let number): self = .withdraw(IPv4Address(number: number))
    case .setMuxes(let message): self = .setMuxes(message.addresses.map { IPv4Address(number: $0) })
    case .setLocators(let message): self = .setLocators(try MessageField.within("set_locators", message))
    case .setMachine(let message): self = .setMachine(try MessageField.within("set_machine", message))
    case .removeMachine(let number): self = .removeMachine(IPv4Address(number: number))
    case .setHostEndpoint(let message):
      self = .setHostEndpoint(try MessageField.within("set_host_endpoint", message))
    case .setKeys(let message): self = .setKeys(try MessageField.within("set_keys", message))
    case .setPortRange(let message): self = .setPortRange(try MessageField.within("set_port_range", message))
    case .removePortRange(let message):
      self = .removePortRange(try MessageField.within("remove_port_range", message))
    case .leasePortRange(let message):
      self = .leasePortRange(try MessageField.within("lease_port_range", message))
    case .recallPortRange(let message):
      self = .recallPortRange(try MessageField.within("recall_port_range", message))
    case .endPortRange(let message): self = .endPortRange(try MessageField.within("end_port_range", message))
    case .removeHostEndpoint(let message):
      let name = "remove_host_endpoint"
      self = .removeHostEndpoint(
        locator: try MessageField.address("\(name).locator", message.hasLocator, message.locator),
        key: try MessageField.value("\(name).key", message.hasKey, message.key))
    }
  }
}

extension MuxBackend: MessageValue {
  var proto: ProtoMuxBackend {
    var proto = ProtoMuxBackend()
    proto.locator = locator.number
    proto.weight = UInt32(clamping: weight)
    return proto
  }

  init(_ proto: ProtoMuxBackend) throws(MalformedMessage) {
    self.init(
      locator: try MessageField.address("locator", proto.hasLocator, proto.locator), weight: Int(proto.weight)
    )
  }
}

extension MuxEndpoint: MessageValue {
  var proto: ProtoMuxEndpoint {
    var proto = ProtoMuxEndpoint()
    proto.key = key.proto
    proto.backends = backends.map(\.proto)
    proto.affinity = affinity.proto
    proto.idleTimeoutMilliseconds = UInt64(clamping: idleTimeoutMilliseconds)
    return proto
  }

  init(_ proto: ProtoMuxEndpoint) throws(MalformedMessage) {
    self.init(
      key: try MessageField.value("key", proto.hasKey, proto.key),
      backends: try MessageField.list("backends", proto.backends),
      affinity: try Affinity.read("affinity", proto.affinity),
      idleTimeoutMilliseconds: try MessageField.integer(
        "idle_timeout_milliseconds", proto.idleTimeoutMilliseconds))
  }
}

extension HostMachine: MessageValue {
  var proto: ProtoHostMachine {
    var proto = ProtoHostMachine()
    proto.name = name
    proto.network = network
    proto.dip = dip.number
    proto.locator = locator.number
    proto.attachment = attachment.proto
    return proto
  }

  init(_ proto: ProtoHostMachine) throws(MalformedMessage) {
    self.init(
      name: proto.name, network: proto.network,
      dip: try MessageField.address("dip", proto.hasDip, proto.dip),
      locator: try MessageField.address("locator", proto.hasLocator, proto.locator),
      attachment: try MessageField.value("attachment", proto.hasAttachment, proto.attachment))
  }
}

extension HostEndpoint: MessageValue {
  var proto: ProtoHostEndpoint {
    var proto = ProtoHostEndpoint()
    proto.locator = locator.number
    proto.key = key.proto
    proto.backendPort = UInt32(backendPort)
    proto.idleTimeoutMilliseconds = UInt64(clamping: idleTimeoutMilliseconds)
    if let probe { proto.probe = probe.proto }
    return proto
  }

  init(_ proto: ProtoHostEndpoint) throws(MalformedMessage) {
    self.init(
      locator: try MessageField.address("locator", proto.hasLocator, proto.locator),
      key: try MessageField.value("key", proto.hasKey, proto.key),
      backendPort: try MessageField.port("backend_port", proto.backendPort),
      idleTimeoutMilliseconds: try MessageField.integer(
        "idle_timeout_milliseconds", proto.idleTimeoutMilliseconds),
      probe: try MessageField.optional("probe", proto.hasProbe, proto.probe))
  }
}
