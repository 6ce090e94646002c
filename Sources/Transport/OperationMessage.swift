import Control

extension Operation: MessageValue {
  var proto: ProtoOperation {
    var proto = ProtoOperation()
    switch self {
    case .apply(let resources): proto.apply.resources = resources.map(\.proto)
    case .delete(let keys): proto.delete.keys = keys.map(\.proto)
    }
    return proto
  }

  init(_ proto: ProtoOperation) throws(MalformedMessage) {
    switch try MessageField.oneOf("operation", proto.operation) {
    case .apply(let list): self = .apply(try MessageField.list("apply.resources", list.resources))
    case .delete(let list): self = .delete(try MessageField.list("delete.keys", list.keys))
    }
  }
}

extension Change.Action: EnumerationValue {
  static var allCases: [Change.Action] { [.created, .configured, .unchanged, .deleted] }

  var proto: ProtoChange.Action {
    switch self {
    case .created: .created
    case .configured: .configured
    case .unchanged: .unchanged
    case .deleted: .deleted
    }
  }
}

extension Change: MessageValue {
  var proto: ProtoChange {
    var proto = ProtoChange()
    proto.key = key.proto
    proto.action = action.proto
    if let before { proto.before = before.proto }
    if let after { proto.after = after.proto }
    return proto
  }

  init(_ proto: ProtoChange) throws(MalformedMessage) {
    self.init(
      key: try MessageField.value("key", proto.hasKey, proto.key),
      action: try Action.read("action", proto.action),
      before: try MessageField.optional("before", proto.hasBefore, proto.before),
      after: try MessageField.optional("after", proto.hasAfter, proto.after))
  }
}

extension Finding: MessageValue {
  var proto: ProtoFinding {
    var proto = ProtoFinding()
    proto.key = key.proto
    proto.path = path
    proto.reason = reason
    return proto
  }

  init(_ proto: ProtoFinding) throws(MalformedMessage) {
    self.init(
      key: try MessageField.value("key", proto.hasKey, proto.key), path: proto.path, reason: proto.reason)
  }
}

extension Outcome: MessageValue {
  var proto: ProtoOutcome {
    var proto = ProtoOutcome()
    proto.revision = revision.number
    proto.changes = changes.map(\.proto)
    proto.warnings = warnings.map(\.proto)
    proto.errors = errors.map(\.proto)
    return proto
  }

  init(_ proto: ProtoOutcome) throws(MalformedMessage) {
    self.init(
      revision: Revision(proto.revision), changes: try MessageField.list("changes", proto.changes),
      warnings: try MessageField.list("warnings", proto.warnings),
      errors: try MessageField.list("errors", proto.errors))
  }
}

extension WaitProgress: MessageValue {
  var proto: ProtoWaitProgress {
    var proto = ProtoWaitProgress()
    proto.revision = revision.number
    proto.acknowledged = acknowledged
    proto.pending = pending
    return proto
  }

  init(_ proto: ProtoWaitProgress) throws(MalformedMessage) {
    self.init(revision: Revision(proto.revision), acknowledged: proto.acknowledged, pending: proto.pending)
  }
}
