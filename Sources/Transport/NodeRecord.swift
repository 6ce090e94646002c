public import Control
import SwiftProtobuf

/// What a node keeps on its disk, one after the other: how it became what it is.
public enum NodeRecord: Hashable, Sendable {
  /// It was told this; a snapshot stands for all that was said before it.
  case update(Update)
  /// Ranges of ports that the host has stopped using; the manager may not know yet.
  case portsReturned([PortLease])

  /// Reads what `octets` gave.
  public init(octets: [UInt8]) throws(MalformedMessage) {
    let proto: ProtoNodeRecord
    do {
      proto = try ProtoNodeRecord(serializedBytes: octets)
    } catch {
      throw MalformedMessage(field: "record", reason: "\(error)")
    }
    try self.init(proto)
  }

  /// The record as it lies on the disk.
  public var octets: [UInt8] {
    // Fails only for messages of 2 GiB and for those with required fields, of which proto3 has none.
    get throws(MalformedMessage) {
      do {
        return try proto.serializedBytes()
      } catch {
        throw MalformedMessage(field: "record", reason: "\(error)")
      }
    }
  }
}

extension NodeRecord: MessageValue {
  var proto: ProtoNodeRecord {
    var proto = ProtoNodeRecord()
    switch self {
    case .update(let update): proto.update = update.proto
    case .portsReturned(let leases):
      proto.portsReturned = ProtoPortLeases()
      proto.portsReturned.leases = leases.map(\.proto)
    }
    return proto
  }

  init(_ proto: ProtoNodeRecord) throws(MalformedMessage) {
    switch try MessageField.oneOf("record", proto.record) {
    case .update(let update): self = .update(try MessageField.within("update", update))
    case .portsReturned(let message):
      self = .portsReturned(try MessageField.list("ports_returned.leases", message.leases))
    }
  }
}
