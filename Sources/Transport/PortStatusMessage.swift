import Control
import Wire

extension PortStatus: MessageValue {
  var proto: ProtoPortStatus {
    var proto = ProtoPortStatus()
    proto.locator = locator.number
    proto.ranges = UInt64(clamping: ranges)
    proto.portsInUse = UInt64(clamping: portsInUse)
    proto.flows = UInt64(clamping: flows)
    proto.held = UInt64(clamping: held)
    proto.requests = requests
    proto.refused = refused
    proto.dropped = dropped
    proto.waitMicrosecondsP50 = waitMicrosecondsP50
    proto.waitMicrosecondsP99 = waitMicrosecondsP99
    return proto
  }

  init(_ proto: ProtoPortStatus) throws(MalformedMessage) {
    self.init(
      locator: try MessageField.address("locator", proto.hasLocator, proto.locator),
      ranges: try MessageField.count("ranges", proto.ranges, atMost: Limits.rangesOfMachine),
      portsInUse: try MessageField.count(
        "ports_in_use", proto.portsInUse, atMost: Limits.rangesOfMachine * UInt64(PortRange.portCount)),
      flows: try MessageField.integer("flows", proto.flows),
      held: try MessageField.integer("held", proto.held), requests: proto.requests, refused: proto.refused,
      dropped: proto.dropped, waitMicrosecondsP50: proto.waitMicrosecondsP50,
      waitMicrosecondsP99: proto.waitMicrosecondsP99)
  }
}

extension PortPoolStatus.Holding: MessageValue {
  var proto: ProtoPortPoolStatus.Holding {
    var proto = ProtoPortPoolStatus.Holding()
    proto.machine = machine
    proto.locator = locator.number
    proto.ranges = UInt64(clamping: ranges)
    proto.recalled = UInt64(clamping: recalled)
    return proto
  }

  init(_ proto: ProtoPortPoolStatus.Holding) throws(MalformedMessage) {
    self.init(
      machine: proto.machine,
      locator: try MessageField.address("locator", proto.hasLocator, proto.locator),
      ranges: try MessageField.integer("ranges", proto.ranges),
      recalled: try MessageField.integer("recalled", proto.recalled))
  }
}

extension PortPoolStatus: MessageValue {
  var proto: ProtoPortPoolStatus {
    var proto = ProtoPortPoolStatus()
    proto.vip = vip.number
    proto.service = service
    proto.capacity = UInt64(clamping: capacity)
    proto.free = UInt64(clamping: free)
    proto.orphaned = UInt64(clamping: orphaned)
    proto.holdings = holdings.map(\.proto)
    return proto
  }

  init(_ proto: ProtoPortPoolStatus) throws(MalformedMessage) {
    self.init(
      vip: try MessageField.address("vip", proto.hasVip, proto.vip), service: proto.service,
      capacity: try MessageField.integer("capacity", proto.capacity),
      free: try MessageField.integer("free", proto.free),
      orphaned: try MessageField.integer("orphaned", proto.orphaned),
      holdings: try MessageField.list("holdings", proto.holdings))
  }
}
