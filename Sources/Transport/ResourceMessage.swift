import Control
import Wire

extension Resource: MessageValue {
  var proto: ProtoResource {
    var proto = ProtoResource()
    switch self {
    case .node(let node): proto.node = node.proto
    case .virtualNetwork(let network): proto.virtualNetwork = network.proto
    case .virtualMachine(let machine): proto.virtualMachine = machine.proto
    case .service(let service): proto.service = service.proto
    }
    return proto
  }

  init(_ proto: ProtoResource) throws(MalformedMessage) {
    switch try MessageField.oneOf("resource", proto.resource) {
    case .node(let node): self = .node(try MessageField.within("node", node))
    case .virtualNetwork(let network):
      self = .virtualNetwork(try MessageField.within("virtual_network", network))
    case .virtualMachine(let machine):
      self = .virtualMachine(try MessageField.within("virtual_machine", machine))
    case .service(let service): self = .service(try MessageField.within("service", service))
    }
  }
}

extension ResourceKey: MessageValue {
  var proto: ProtoResourceKey {
    var proto = ProtoResourceKey()
    proto.kind = kind.proto
    proto.name = name
    return proto
  }

  init(_ proto: ProtoResourceKey) throws(MalformedMessage) {
    self.init(try Kind.read("kind", proto.kind), proto.name)
  }
}

extension IPv4Prefix: MessageValue {
  var proto: ProtoIPv4Prefix {
    var proto = ProtoIPv4Prefix()
    proto.address = address.number
    proto.length = UInt32(length)
    return proto
  }

  init(_ proto: ProtoIPv4Prefix) throws(MalformedMessage) {
    let address = try MessageField.address("address", proto.hasAddress, proto.address)
    guard let length = UInt8(exactly: proto.length), length <= 32 else {
      throw MalformedMessage(field: "length", reason: "\(proto.length) is more than 32")
    }
    self.init(address, length: length)
    guard self.address == address else {
      throw MalformedMessage(field: "address", reason: "\(address) has bits behind length \(length)")
    }
  }
}

extension Node: MessageValue {
  var proto: ProtoNode {
    var proto = ProtoNode()
    proto.name = name
    proto.address = address.number
    proto.roles = roles.map(\.proto)
    if let locators { proto.locators = locators.proto }
    return proto
  }

  init(_ proto: ProtoNode) throws(MalformedMessage) {
    self.init(
      name: proto.name, address: try MessageField.address("address", proto.hasAddress, proto.address),
      roles: try Role.list("roles", proto.roles),
      locators: try MessageField.optional("locators", proto.hasLocators, proto.locators))
  }
}

extension VirtualNetwork: MessageValue {
  var proto: ProtoVirtualNetwork {
    var proto = ProtoVirtualNetwork()
    proto.name = name
    proto.prefixes = prefixes.map(\.proto)
    return proto
  }

  init(_ proto: ProtoVirtualNetwork) throws(MalformedMessage) {
    self.init(name: proto.name, prefixes: try MessageField.list("prefixes", proto.prefixes))
  }
}

extension Attachment: MessageValue {
  var proto: ProtoAttachment {
    var proto = ProtoAttachment()
    switch self {
    case .networkNamespace(let name, let device, let kind):
      var namespace = ProtoAttachment.NetworkNamespace()
      namespace.name = name
      namespace.device = device
      switch kind {
      case .tun: proto.networkNamespace = namespace
      case .veth: proto.veth = namespace
      }
    }
    return proto
  }

  init(_ proto: ProtoAttachment) throws(MalformedMessage) {
    switch try MessageField.oneOf("attachment", proto.attachment) {
    case .networkNamespace(let namespace):
      self = .networkNamespace(name: namespace.name, device: namespace.device)
    case .veth(let namespace):
      self = .networkNamespace(name: namespace.name, device: namespace.device, kind: .veth)
    }
  }
}

extension VirtualMachine: MessageValue {
  var proto: ProtoVirtualMachine {
    var proto = ProtoVirtualMachine()
    proto.name = name
    proto.network = network
    proto.dip = dip.number
    proto.host = host
    proto.attachment = attachment.proto
    return proto
  }

  init(_ proto: ProtoVirtualMachine) throws(MalformedMessage) {
    self.init(
      name: proto.name, network: proto.network,
      dip: try MessageField.address("dip", proto.hasDip, proto.dip), host: proto.host,
      attachment: try MessageField.value("attachment", proto.hasAttachment, proto.attachment))
  }
}
