public import Wire

/// A datagram from one node of the data centre to another, with the proof that it is one.
///
///      0                   1                   2                   3
///      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
///     +---------------+---------------+-------------------------------+
///     |  version = 1  |     kind      |            reserved           |
///     +---------------+---------------+-------------------------------+
///     |                            key number                         |
///     +---------------------------------------------------------------+
///     |                       address of the sender                   |
///     +---------------------------------------------------------------+
///     |                                                               |
///     +                         sequence number                       +
///     |                                                               |
///     +---------------------------------------------------------------+
///     |                            payload ...                        |
///     +---------------------------------------------------------------+
///     |                  SipHash-2-4-128 over all above               |
///     +                          (16 octets)                          +
///
/// Numbers are sent most significant octet first. The keys come from the manager and change by the hour
/// (`Command.setKeys`); a sender never uses a sequence number twice under one key, so a receiver that keeps a
/// `ReplayWindow` for each sender takes each datagram once.
public struct SealedDatagram: Hashable, Sendable {
  /// Why a datagram was not looked at.
  public enum Refusal: UInt8, Error, CaseIterable, Sendable {
    case tooShort, unknownVersion, unknownKey, wrongSeal
  }

  /// What the payload is; whoever defines a payload takes a number.
  public var kind: UInt8
  /// The underlay address of the node that sealed it.
  public var sender: IPv4Address
  /// Grows with each datagram of the sender; begins at its clock's microseconds, so also after a restart.
  public var sequence: UInt64
  /// What it says.
  public var payload: [UInt8]

  /// Octets around the payload.
  public static let overhead = headerLength + tagLength
  private static let headerLength = 20
  private static let tagLength = 16
  private static let version: UInt8 = 1

  /// Describes a datagram.
  public init(kind: UInt8, sender: IPv4Address, sequence: UInt64, payload: [UInt8]) {
    self.kind = kind
    self.sender = sender
    self.sequence = sequence
    self.payload = payload
  }

  /// Opens a datagram that has arrived.
  ///
  /// - Parameters:
  ///   - octets: as they came, whatever they are.
  ///   - key: the keyed hash of a key number; nil when there is no such key, or not any more.
  /// - Throws: why it is to be dropped.
  public init(opening octets: [UInt8], key: (UInt32) -> SipHash?) throws(Refusal) {
    guard octets.count >= Self.overhead else { throw .tooShort }
    guard octets[0] == Self.version else { throw .unknownVersion }
    guard let hash = key(UInt32(truncatingIfNeeded: Self.number(octets[4..<8]))) else { throw .unknownKey }
    let end = octets.count - Self.tagLength
    let tag = SipHash.Tag(
      low: Self.number(octets[end..<end + 8]), high: Self.number(octets[(end + 8)...]))
    guard tag == Self.tag(of: octets[..<end], hash) else { throw .wrongSeal }
    kind = octets[1]
    sender = IPv4Address(number: UInt32(truncatingIfNeeded: Self.number(octets[8..<12])))
    sequence = Self.number(octets[12..<20])
    payload = Array(octets[Self.headerLength..<end])
  }

  /// The octets to send.
  ///
  /// - Parameters:
  ///   - number: of the key, so that the receiver finds it.
  ///   - hash: keyed with it.
  /// - Returns: header, payload and tag.
  public func sealed(key number: UInt32, _ hash: SipHash) -> [UInt8] {
    var octets: [UInt8] = [Self.version, kind, 0, 0]
    octets.reserveCapacity(payload.count + Self.overhead)
    Self.append(UInt64(number), count: 4, to: &octets)
    Self.append(UInt64(sender.number), count: 4, to: &octets)
    Self.append(sequence, count: 8, to: &octets)
    octets += payload
    let tag = Self.tag(of: octets[...], hash)
    Self.append(tag.low, count: 8, to: &octets)
    Self.append(tag.high, count: 8, to: &octets)
    return octets
  }

  private static func tag(of octets: ArraySlice<UInt8>, _ hash: SipHash) -> SipHash.Tag {
    var hash = hash
    var word: UInt64 = 0
    var place: UInt64 = 0
    for octet in octets {
      word |= UInt64(octet) << place
      place += 8
      if place == 64 {
        hash.add(word)
        word = 0
        place = 0
      }
    }
    return hash.finish(rest: word, byteCount: octets.count)
  }

  private static func number(_ octets: ArraySlice<UInt8>) -> UInt64 {
    octets.reduce(0) { $0 << 8 | UInt64($1) }
  }

  private static func append(_ number: UInt64, count: Int, to octets: inout [UInt8]) {
    for index in (0..<count).reversed() {
      octets.append(UInt8(truncatingIfNeeded: number >> (UInt64(index) * 8)))
    }
  }
}
