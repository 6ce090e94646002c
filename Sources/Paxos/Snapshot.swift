/// The program's state after all entries up to a slot ("Paxos Made Live" §5.4).
public struct Snapshot: Codable, Hashable, Sendable {
  /// The last entry that is in it.
  public let slot: Slot
  /// Who votes in the slots after it: the membership in force, and one that is decided but not in force yet.
  ///
  /// Empty only on a disk that has not joined its cluster yet.
  public let memberships: [Membership]
  /// The program's state; empty at slot 0.
  public let state: [UInt8]
  /// FNV-1a, 64 bits, over the state: chunks of two snapshots must not be put together, nor a damaged one be
  /// used.
  public let digest: UInt64

  /// Takes down a state.
  public init(slot: Slot, memberships: [Membership], state: [UInt8]) {
    self.slot = slot
    self.memberships = memberships
    self.state = state
    digest = Self.digest(of: state)
  }

  /// Whether the state is the one that was taken down.
  public var isIntact: Bool { digest == Self.digest(of: state) }

  static func digest(of octets: [UInt8]) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for octet in octets { hash = (hash ^ UInt64(octet)) &* 0x100_0000_01b3 }
    return hash
  }
}
