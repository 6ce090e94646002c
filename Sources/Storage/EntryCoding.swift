import Paxos

/// Why octets are no entry or no list of memberships.
enum CodingError: Error, Hashable {
  /// Written by a program that knows more.
  case version(UInt8)
  /// Too few octets, too many, or such as nobody writes.
  case malformed
}

/// How entries and memberships lie in a row.
///
/// ```
/// entry        version 1 | kind 0: no-op
///                        | kind 1: command      octets up to the end
///                        | kind 2: add voter    replica, 8 octets
///                        | kind 3: remove voter replica, 8 octets
/// memberships  version 1 | count | each: decided, 8 octets | count | voters, 8 octets each
/// ```
///
/// Numbers are written most significant octet first; version, kind and counts are one octet each.
enum EntryCoding {
  static let version: UInt8 = 1

  static func octets(of entry: Entry) -> [UInt8] {
    var writer = OctetWriter()
    writer.put(octet: version)
    switch entry {
    case .noOp: writer.put(octet: 0)
    case .command(let octets):
      writer.put(octet: 1)
      writer.put(octets)
    case .membership(.add(let replica)):
      writer.put(octet: 2)
      writer.put(replica.number)
    case .membership(.remove(let replica)):
      writer.put(octet: 3)
      writer.put(replica.number)
    }
    return writer.octets
  }

  static func entry(in octets: [UInt8]) throws(CodingError) -> Entry {
    var reader = try reader(of: octets)
    let entry: Entry
    switch reader.octet() {
    case 0: entry = .noOp
    case 1: entry = .command(reader.remainder())
    case 2: entry = .membership(.add(ReplicaID(try present(reader.number()))))
    case 3: entry = .membership(.remove(ReplicaID(try present(reader.number()))))
    default: throw .malformed
    }
    guard reader.isAtEnd else { throw .malformed }
    return entry
  }

  // MARK: Memberships

  static func octets(of memberships: [Membership]) -> [UInt8] {
    var writer = OctetWriter()
    writer.put(octet: version)
    writer.put(octet: UInt8(memberships.count))
    for membership in memberships {
      writer.put(membership.decided.number)
      writer.put(octet: UInt8(membership.voters.count))
      for voter in membership.voters { writer.put(voter.number) }
    }
    return writer.octets
  }

  static func memberships(in octets: [UInt8]) throws(CodingError) -> [Membership] {
    var reader = try reader(of: octets)
    var memberships: [Membership] = []
    for _ in 0..<(try present(reader.octet())) {
      let decided = Slot(try present(reader.number()))
      guard decided.number <= Paxos.Limits.greatestNumber else { throw .malformed }
      var voters: [ReplicaID] = []
      for _ in 0..<(try present(reader.octet())) { voters.append(ReplicaID(try present(reader.number()))) }
      memberships.append(Membership(voters: voters, decided: decided))
    }
    guard reader.isAtEnd else { throw .malformed }
    return memberships
  }

  private static func reader(of octets: [UInt8]) throws(CodingError) -> OctetReader {
    var reader = OctetReader(octets)
    let found = try present(reader.octet())
    guard found == version else { throw .version(found) }
    return reader
  }

  private static func present<Number>(_ number: Number?) throws(CodingError) -> Number {
    guard let number else { throw .malformed }
    return number
  }
}
