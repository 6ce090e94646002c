/// All that a replica must find again after a crash.
///
/// A store keeps it by carrying out `Write`s in order; a crash may lose the newest batches that were not
/// confirmed, but never one without those after it.
public struct DurableState: Codable, Hashable, Sendable {
  /// The cluster it belongs to.
  public let cluster: ClusterID
  /// Whose it is.
  public let replica: ReplicaID
  /// The highest ballot promised.
  public var promised: Ballot
  /// The newest snapshot.
  public var snapshot: Snapshot
  /// Records in the order of slots.
  public var records: [Record]
  /// A slot up to which all are chosen; there may be more.
  public var committed: Slot

  /// Puts together what a store has read.
  public init(
    cluster: ClusterID, replica: ReplicaID, promised: Ballot, snapshot: Snapshot, records: [Record],
    committed: Slot
  ) {
    self.cluster = cluster
    self.replica = replica
    self.promised = promised
    self.snapshot = snapshot
    self.records = records
    self.committed = committed
  }

  /// A founder's disk: all founders begin with the same list.
  ///
  /// To be used once in a cluster's life and for a freshly drawn identifier: a founder that is founded again
  /// has forgotten its promises.
  public init(founding cluster: ClusterID, replica: ReplicaID, founders: [ReplicaID]) {
    let snapshot = Snapshot(slot: .none, memberships: [Membership(founders: founders)], state: [])
    self.init(
      cluster: cluster, replica: replica, promised: .none, snapshot: snapshot, records: [], committed: .none)
  }

  /// The disk of a replica that is to join: it learns, and votes when a membership names it.
  public init(joining cluster: ClusterID, replica: ReplicaID) {
    self.init(
      cluster: cluster, replica: replica, promised: .none,
      snapshot: Snapshot(slot: .none, memberships: [], state: []), records: [], committed: .none)
  }

  /// Carries out a write.
  public mutating func apply(_ write: Write) {
    switch write {
    case .promised(let ballot): promised = ballot
    case .committed(let slot): committed = slot
    case .snapshot(let snapshot, let logFrom):
      self.snapshot = snapshot
      records.removeAll { $0.slot < logFrom }
      committed = max(committed, snapshot.slot)
    case .record(let record):
      if let last = records.last, last.slot >= record.slot {
        let index = records.firstIndex { $0.slot >= record.slot } ?? records.endIndex
        let replaces = index < records.endIndex && records[index].slot == record.slot
        records.replaceSubrange(index..<(replaces ? index + 1 : index), with: [record])
      } else {
        records.append(record)
      }
    }
  }
}

/// Why a replica does not start with what was found on disk.
public enum RecoveryError: Error, Hashable, Sendable {
  /// The disk belongs to another cluster; check the data directory.
  case anotherCluster(found: ClusterID, expected: ClusterID)
  /// The snapshot is not the one that was written; replace the disk, and join under a new identifier.
  case damagedSnapshot(Slot)
  /// An entry that was chosen is missing, or the records are out of order; replace the disk, and join under a
  /// new identifier.
  case damagedLog(Slot)
}
