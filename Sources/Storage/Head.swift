import Paxos

/// A set of rows: how many, and the sum of their checksums modulo 2⁶⁴.
///
/// It is kept up with each row that comes and goes, and no order matters; a row that is missing, from another
/// time or altered changes it.
struct RowSet: Hashable {
  var count: UInt64 = 0
  var sum: UInt64 = 0

  mutating func insert(_ checksum: UInt64) {
    count &+= 1
    sum &+= checksum
  }

  mutating func remove(_ checksum: UInt64) {
    count &-= 1
    sum &-= checksum
  }
}

/// The one row that says where the store stands, and what all other rows must be.
struct Head: Hashable {
  let replica: ReplicaID
  /// Nothing until it is founded.
  var cluster: ClusterID?
  var promised = Ballot.none
  var committed = Slot.none
  /// Counts transactions.
  var generation: UInt64 = 0
  /// Those of the table `records`.
  var records = RowSet()
  /// The checksum of the snapshot's row; 0 until there is one.
  var snapshot: UInt64 = 0

  init(replica: ReplicaID) { self.replica = replica }

  /// Over all that it says.
  var checksum: UInt64 {
    var checksum = Checksum()
    checksum.add(replica.number)
    checksum.add(cluster == nil ? 0 : 1)
    checksum.add(cluster?.number ?? 0)
    checksum.add(promised.round)
    checksum.add(promised.replica.number)
    checksum.add(committed.number)
    checksum.add(generation)
    checksum.add(records.count)
    checksum.add(records.sum)
    checksum.add(snapshot)
    return checksum.value
  }
}
