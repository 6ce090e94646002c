import GRPCCore
import GRPCProtobuf
import Paxos

/// Reads messages of other managers; one that is too large, or has too many parts, is refused before anything is made
/// of it.
struct ReplicaMessageDeserializer: MessageDeserializer {
  func deserialize<Bytes: GRPCContiguousBytes>(_ octets: Bytes) throws -> ProtoReplicaMessage {
    try unsafe octets.withUnsafeBytes { octets in
      guard octets.count <= Limits.replicaMessageBytes else {
        throw Self.excess("\(octets.count) octets, more than \(Limits.replicaMessageBytes)")
      }
      guard WireFields.partsAreFew(unsafe octets.bindMemory(to: UInt8.self).span) else {
        throw Self.excess("more than \(Limits.replicaMessageParts) parts")
      }
    }
    return try ProtobufDeserializer<ProtoReplicaMessage>().deserialize(octets)
  }

  private static func excess(_ what: String) -> RPCError {
    RPCError(code: .resourceExhausted, message: "a message of \(what)")
  }
}

/// Goes through the fields of a protobuf message without reading them.
///
/// An entry of an empty message is two octets on the wire and some fifty in memory, so that octets alone bound nothing.
struct WireFields {
  private var position: Int
  private let end: Int
  /// What follows is no field, or one that no message of ours has.
  private(set) var isMalformed = false

  init(_ range: Range<Int>) {
    position = range.lowerBound
    end = range.upperBound
  }

  /// Whether the parts of the envelope's message, entries and records above all, are as few as they may be.
  static func partsAreFew(_ octets: Span<UInt8>) -> Bool {
    var parts = 0
    var outer = WireFields(0..<octets.count)
    while let field = outer.next(in: octets) {
      guard field.number == 2 else { continue }
      var envelope = WireFields(field.body)
      while let message = envelope.next(in: octets) {
        var inner = WireFields(message.body)
        while inner.next(in: octets) != nil, parts <= Limits.replicaMessageParts { parts += 1 }
        guard !inner.isMalformed, parts <= Limits.replicaMessageParts else { return false }
      }
      guard !envelope.isMalformed else { return false }
    }
    return !outer.isMalformed
  }

  /// The next field; of those that have no octets of their own the body is empty.
  mutating func next(in octets: Span<UInt8>) -> (number: UInt64, body: Range<Int>)? {
    guard position < end else { return nil }
    guard let tag = varint(in: octets), let body = body(of: tag & 7, in: octets) else {
      isMalformed = true
      return nil
    }
    return (tag >> 3, body)
  }

  private mutating func body(of wireType: UInt64, in octets: Span<UInt8>) -> Range<Int>? {
    switch wireType {
    case 0: return varint(in: octets) == nil ? nil : position..<position
    case 1: return skip(8).map { $0.upperBound..<$0.upperBound }
    case 2: return varint(in: octets).flatMap { Int(exactly: $0) }.flatMap { skip($0) }
    case 5: return skip(4).map { $0.upperBound..<$0.upperBound }
    default: return nil
    }
  }

  private mutating func skip(_ count: Int) -> Range<Int>? {
    guard count <= end - position else { return nil }
    defer { position += count }
    return position..<position + count
  }

  private mutating func varint(in octets: Span<UInt8>) -> UInt64? {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      guard position < end else { return nil }
      let octet = octets[position]
      position += 1
      value |= UInt64(octet & 0x7f) << shift
      if octet < 0x80 { return value }
    }
    return nil
  }
}
