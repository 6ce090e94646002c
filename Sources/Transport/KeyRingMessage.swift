import Control

extension DatagramKey: MessageValue {
  var proto: ProtoDatagramKey {
    var proto = ProtoDatagramKey()
    proto.id = id
    proto.low = low
    proto.high = high
    return proto
  }

  init(_ proto: ProtoDatagramKey) { self.init(id: proto.id, low: proto.low, high: proto.high) }
}

extension KeyRing: MessageValue {
  var proto: ProtoKeyRing {
    var proto = ProtoKeyRing()
    proto.keys = keys.map(\.proto)
    proto.currentID = currentID
    return proto
  }

  init(_ proto: ProtoKeyRing) throws(MalformedMessage) {
    guard let ring = KeyRing(keys: try MessageField.list("keys", proto.keys), currentID: proto.currentID)
    else {
      throw MalformedMessage(field: "keys", reason: "are not at most three in order, one of them current")
    }
    self = ring
  }
}
