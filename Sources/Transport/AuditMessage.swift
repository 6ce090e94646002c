import Control

extension AuditRecord.Item: MessageValue {
  var proto: ProtoAuditRecord.Item {
    var proto = ProtoAuditRecord.Item()
    proto.key = key.proto
    proto.action = action.proto
    return proto
  }

  init(_ proto: ProtoAuditRecord.Item) throws(MalformedMessage) {
    self.init(
      key: try MessageField.value("key", proto.hasKey, proto.key),
      action: try Change.Action.read("action", proto.action))
  }
}

extension AuditRecord: MessageValue {
  var proto: ProtoAuditRecord {
    var proto = ProtoAuditRecord()
    proto.revision = revision.number
    proto.author = author.name
    proto.at = author.at
    proto.note = note
    proto.items = items.map(\.proto)
    proto.count = UInt64(clamping: count)
    return proto
  }

  init(_ proto: ProtoAuditRecord) throws(MalformedMessage) {
    self.init(
      revision: Revision(proto.revision), author: Author(name: proto.author, at: proto.at),
      note: proto.note, items: try MessageField.list("items", proto.items),
      count: try MessageField.integer("count", proto.count))
  }
}
