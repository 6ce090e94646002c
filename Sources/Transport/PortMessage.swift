import Control
import Wire

extension PortRange: MessageValue {
  var proto: ProtoPortRange {
    var proto = ProtoPortRange()
    proto.vip = vip.number
    proto.firstPort = UInt32(firstPort)
    return proto
  }

  init(_ proto: ProtoPortRange) throws(MalformedMessage) {
    let vip = try MessageField.address("vip", proto.hasVip, proto.vip)
    let port = try MessageField.port("first_port", proto.firstPort)
    guard let range = PortRange(vip: vip, firstPort: port) else {
      throw MalformedMessage(field: "first_port", reason: "no range of leased ports begins with \(port)")
    }
    self = range
  }
}

extension PortLease: MessageValue {
  var proto: ProtoPortLease {
    var proto = ProtoPortLease()
    proto.range = range.proto
    proto.locator = locator.number
    return proto
  }

  init(_ proto: ProtoPortLease) throws(MalformedMessage) {
    self.init(
      try MessageField.value("range", proto.hasRange, proto.range),
      to: try MessageField.address("locator", proto.hasLocator, proto.locator))
  }
}

extension PortRequest: MessageValue {
  var proto: ProtoPortRequest {
    var proto = ProtoPortRequest()
    proto.locator = locator.number
    return proto
  }

  init(_ proto: ProtoPortRequest) throws(MalformedMessage) {
    self.init(locator: try MessageField.address("locator", proto.hasLocator, proto.locator))
  }
}

extension PortRefusal.Reason: EnumerationValue {
  var proto: ProtoPortRefusal.Reason {
    switch self {
    case .cap: .cap
    case .rate: .rate
    case .exhausted: .exhausted
    case .noService: .noService
    case .overloaded: .overloaded
    case .noMux: .noMux
    }
  }
}

extension PortRefusal: MessageValue {
  var proto: ProtoPortRefusal {
    var proto = ProtoPortRefusal()
    proto.locator = locator.number
    proto.reason = reason.proto
    proto.retryAfterMilliseconds = retryAfterMilliseconds
    return proto
  }

  init(_ proto: ProtoPortRefusal) throws(MalformedMessage) {
    self.init(
      locator: try MessageField.address("locator", proto.hasLocator, proto.locator),
      reason: try Reason.read("reason", proto.reason), retryAfterMilliseconds: proto.retryAfterMilliseconds)
  }
}

extension PortRecall: MessageValue {
  var proto: ProtoPortRecall {
    var proto = ProtoPortRecall()
    switch self {
    case .machine(let name): proto.machine = name
    case .range(let range): proto.range = range.proto
    case .vip(let address): proto.vip = address.number
    }
    return proto
  }

  init(_ proto: ProtoPortRecall) throws(MalformedMessage) {
    switch try MessageField.oneOf("recall", proto.recall) {
    case .machine(let name):
      guard !name.isEmpty else { throw MalformedMessage(field: "machine", reason: "is empty") }
      self = .machine(name)
    case .range(let range): self = .range(try MessageField.within("range", range))
    case .vip(let number): self = .vip(IPv4Address(number: number))
    }
  }
}

extension ManagerMessage: MessageValue {
  var proto: ProtoManagerMessage {
    var proto = ProtoManagerMessage()
    switch self {
    case .update(let update): proto.update = update.proto
    case .portRefusal(let refusal): proto.portRefusal = refusal.proto
    }
    return proto
  }

  init(_ proto: ProtoManagerMessage) throws(MalformedMessage) {
    switch try MessageField.oneOf("message", proto.message) {
    case .update(let update): self = .update(try MessageField.within("update", update))
    case .portRefusal(let refusal): self = .portRefusal(try MessageField.within("port_refusal", refusal))
    }
  }
}
