/// An entry as an acceptor keeps it: what it voted for in a slot, and in which ballot.
///
/// A chosen entry that is passed on keeps the ballot of the one who passes it on, which is one in which it
/// was chosen or a later one; so it may be reported like a vote of one's own.
public struct Record: Codable, Hashable, Sendable {
  /// Where.
  public var slot: Slot
  /// In which ballot.
  public var ballot: Ballot
  /// What.
  public var entry: Entry

  /// Joins the three.
  public init(slot: Slot, ballot: Ballot, entry: Entry) {
    self.slot = slot
    self.ballot = ballot
    self.entry = entry
  }
}
