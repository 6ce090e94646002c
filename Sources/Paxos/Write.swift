/// The number of a batch of writes, counted from 1 in the life of a `Replica` value.
public struct WriteID: Codable, Hashable, Sendable, Comparable {
  /// Its number.
  public var number: UInt64

  /// Names a batch.
  public init(_ number: UInt64) {
    self.number = number
  }

  /// In the order in which they are issued.
  public static func < (left: WriteID, right: WriteID) -> Bool { left.number < right.number }
}

/// What has to be on disk; `DurableState.apply` says what each means.
public enum Write: Codable, Hashable, Sendable {
  /// No vote in a lower ballot from now on.
  case promised(Ballot)
  /// A vote, or a chosen entry, in place of what the slot held.
  case record(Record)
  /// All slots up to here are chosen; goes along with other writes and is worth no sync of its own.
  case committed(Slot)
  /// A snapshot in place of the one before, and of all records before `logFrom`.
  case snapshot(Snapshot, logFrom: Slot)
}
