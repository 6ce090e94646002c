/// Cuts a byte stream into messages; keeps at most one message of 4096 octets.
///
/// After an error the stream has no boundaries any more, and the framer must be thrown away with its connection.
public struct Framer: Sendable {
  private var buffer: [UInt8] = []

  /// Starts at a message boundary.
  public init() {}

  /// How many octets of an unfinished message are kept.
  public var pendingCount: Int { buffer.count }

  /// Takes octets off the front of `input` until a message is complete, or until `input` is empty.
  ///
  /// Returns `nil` when more input is needed. Throws the errors of RFC 4271 §6.1.
  public mutating func next(from input: inout ArraySlice<UInt8>) throws(MessageError) -> RawMessage? {
    fill(to: Limits.headerLength, from: &input)
    guard buffer.count >= Limits.headerLength else { return nil }
    let (type, length) = try header()
    fill(to: length, from: &input)
    guard buffer.count == length else { return nil }
    let body = Array(buffer[Limits.headerLength...])
    buffer.removeAll(keepingCapacity: true)
    return RawMessage(type: type, body: body)
  }

  private mutating func fill(to count: Int, from input: inout ArraySlice<UInt8>) {
    let wanted = min(max(count - buffer.count, 0), input.count)
    buffer.append(contentsOf: input.prefix(wanted))
    input.removeFirst(wanted)
  }

  /// Marker, then length, then type: the order of RFC 4271 §6.1.
  private func header() throws(MessageError) -> (MessageType, Int) {
    guard buffer[..<16].allSatisfy({ $0 == 0xff }) else {
      throw MessageError(.messageHeader, 1, reason: "the marker is not all ones")
    }
    let length = Int(buffer[16]) << 8 | Int(buffer[17])
    let lengthField = Array(buffer[16..<18])
    guard length >= Limits.headerLength, length <= Limits.maximumMessageLength else {
      throw MessageError(.messageHeader, 2, lengthField, reason: "a message length of \(length)")
    }
    guard let type = MessageType(rawValue: buffer[18]) else {
      throw MessageError(.messageHeader, 3, [buffer[18]], reason: "message type \(buffer[18])")
    }
    guard type.lengths.contains(length) else {
      throw MessageError(.messageHeader, 2, lengthField, reason: "a length of \(length) for message type \(type)")
    }
    return (type, length)
  }
}
