import Foundation
import GRDB
import Paxos

/// A store's tables, and how their rows are written, read and checked; used within a transaction.
///
/// Each row has a checksum of its own, so what is altered can be named. The head has the sum over all records'
/// checksums, the snapshot's, and one over itself: so no row can be missing, exchanged, or from another time.
/// Numbers of 64 bits lie in SQLite's signed ones bit by bit.
struct StoreTables {
  let database: Database
  let path: String

  /// Makes the tables, and draws the identifier of the replica whose disk this is from now on.
  func create() throws {
    try database.execute(
      sql: """
        CREATE TABLE head (
          id INTEGER PRIMARY KEY CHECK (id = 1), replica INTEGER NOT NULL, cluster INTEGER,
          promised_round INTEGER NOT NULL, promised_replica INTEGER NOT NULL, committed INTEGER NOT NULL,
          generation INTEGER NOT NULL, records INTEGER NOT NULL, records_sum INTEGER NOT NULL,
          snapshot INTEGER NOT NULL, checksum INTEGER NOT NULL) STRICT;
        CREATE TABLE records (
          slot INTEGER PRIMARY KEY, round INTEGER NOT NULL, replica INTEGER NOT NULL,
          checksum INTEGER NOT NULL, entry BLOB NOT NULL) STRICT;
        CREATE TABLE snapshot (
          id INTEGER PRIMARY KEY CHECK (id = 1), slot INTEGER NOT NULL, digest INTEGER NOT NULL,
          checksum INTEGER NOT NULL, memberships BLOB NOT NULL, state BLOB NOT NULL) STRICT;
        """)
    try update(Head(replica: ReplicaID(UInt64.random(in: 1...UInt64.max))))
  }

  func corrupt(_ detail: String) -> StoreError { StoreError(.corrupt, path: path, detail: detail) }

  // MARK: Head

  func head() throws -> Head {
    let rows = try Row.fetchAll(
      database,
      sql: """
        SELECT checksum, replica, cluster, promised_round, promised_replica, committed, generation, records,
        records_sum, snapshot FROM head
        """)
    guard rows.count == 1, let row = rows.first else { throw corrupt("its head is missing") }
    var numbers: [UInt64] = []
    for column in 0..<row.count where column != 2 {
      guard let number = UInt64(stored: row[column]) else { throw corrupt("its head is damaged") }
      numbers.append(number)
    }
    var head = Head(replica: ReplicaID(numbers[1]))
    head.cluster = UInt64(stored: row[2]).map { ClusterID($0) }
    head.promised = Ballot(round: numbers[2], replica: ReplicaID(numbers[3]))
    head.committed = Slot(numbers[4])
    head.generation = numbers[5]
    head.records = RowSet(count: numbers[6], sum: numbers[7])
    head.snapshot = numbers[8]
    guard head.checksum == numbers[0] else { throw corrupt("its head does not fit its checksum") }
    return head
  }

  func update(_ head: Head) throws {
    try database.cachedStatement(
      sql: """
        INSERT OR REPLACE INTO head (id, replica, cluster, promised_round, promised_replica, committed,
        generation, records, records_sum, snapshot, checksum) VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """
    ).execute(arguments: [
      head.replica.number.stored, head.cluster?.number.stored, head.promised.round.stored,
      head.promised.replica.number.stored, head.committed.number.stored, head.generation.stored,
      head.records.count.stored, head.records.sum.stored, head.snapshot.stored, head.checksum.stored,
    ])
  }

  // MARK: Writes

  /// Carries out a write, as `DurableState.apply` says.
  func apply(_ write: Write, to head: inout Head) throws {
    switch write {
    case .promised(let ballot): head.promised = ballot
    case .committed(let slot): head.committed = slot
    case .record(let record): try put(record, to: &head.records)
    case .snapshot(let snapshot, let logFrom):
      try put(snapshot, to: &head)
      try removeRecords(before: logFrom, from: &head.records)
      head.committed = max(head.committed, snapshot.slot)
    }
  }

  func put(_ record: Paxos.Record, to set: inout RowSet) throws {
    precondition(record.slot.number <= Paxos.Limits.greatestNumber, "slot beyond the greatest")
    let before = try Row.fetchOne(
      database.cachedStatement(sql: "SELECT checksum FROM records WHERE slot = ?"),
      arguments: [record.slot.number.stored])
    if let before { set.remove(try checksum(in: before, 0)) }
    let octets = EntryCoding.octets(of: record.entry)
    let checksum = Self.checksum(record.slot, record.ballot, octets)
    try database.cachedStatement(
      sql: "INSERT OR REPLACE INTO records (slot, round, replica, checksum, entry) VALUES (?, ?, ?, ?, ?)"
    ).execute(arguments: [
      record.slot.number.stored, record.ballot.round.stored, record.ballot.replica.number.stored,
      checksum.stored, Data(octets),
    ])
    set.insert(checksum)
  }

  func put(_ snapshot: Snapshot, to head: inout Head) throws {
    let memberships = EntryCoding.octets(of: snapshot.memberships)
    head.snapshot = Self.checksum(snapshot.slot, digest: snapshot.digest, memberships)
    try database.cachedStatement(
      sql: """
        INSERT OR REPLACE INTO snapshot (id, slot, digest, checksum, memberships, state)
        VALUES (1, ?, ?, ?, ?, ?)
        """
    ).execute(arguments: [
      snapshot.slot.number.stored, snapshot.digest.stored, head.snapshot.stored, Data(memberships),
      Data(snapshot.state),
    ])
  }

  private func removeRecords(before slot: Slot, from set: inout RowSet) throws {
    precondition(slot.number <= Paxos.Limits.greatestNumber, "slot beyond the greatest")
    let leaving = try Row.fetchCursor(
      database.cachedStatement(sql: "SELECT checksum FROM records WHERE slot < ?"),
      arguments: [slot.number.stored])
    while let row = try leaving.next() { set.remove(try checksum(in: row, 0)) }
    try database.cachedStatement(sql: "DELETE FROM records WHERE slot < ?")
      .execute(arguments: [slot.number.stored])
  }

  // MARK: Reads

  /// Reads everything, and checks everything against the head.
  func state(_ head: Head, in cluster: ClusterID) throws -> DurableState {
    DurableState(
      cluster: cluster, replica: head.replica, promised: head.promised, snapshot: try snapshot(head),
      records: try records(head.records), committed: head.committed)
  }

  func records(_ expected: RowSet) throws -> [Paxos.Record] {
    var records: [Paxos.Record] = []
    var found = RowSet()
    let rows = try Row.fetchCursor(
      database, sql: "SELECT slot, round, replica, checksum, entry FROM records ORDER BY slot")
    while let row = try rows.next() {
      guard let slot = UInt64(stored: row[0]).map({ Slot($0) }), let round = UInt64(stored: row[1]),
        let replica = UInt64(stored: row[2]), let entry = Data.fromDatabaseValue(row[4])
      else { throw corrupt("one of its records is damaged") }
      let ballot = Ballot(round: round, replica: ReplicaID(replica))
      let octets = [UInt8](entry)
      let checksum = try checksum(in: row, 3)
      guard checksum == Self.checksum(slot, ballot, octets) else {
        throw corrupt("the record of slot \(slot.number) does not fit its checksum")
      }
      found.insert(checksum)
      let decoded = try decoding("the record of slot \(slot.number)") { () throws(CodingError) in
        try EntryCoding.entry(in: octets)
      }
      records.append(Paxos.Record(slot: slot, ballot: ballot, entry: decoded))
    }
    guard found.count == expected.count else {
      throw corrupt("it holds \(found.count) records, and \(expected.count) were written")
    }
    guard found == expected else { throw corrupt("one of its records is an older one than was written last") }
    return records
  }

  private func snapshot(_ head: Head) throws -> Snapshot {
    let rows = try Row.fetchAll(
      database, sql: "SELECT slot, digest, checksum, memberships, state FROM snapshot")
    guard rows.count == 1, let row = rows.first else { throw corrupt("its snapshot is missing") }
    guard let slot = UInt64(stored: row[0]).map({ Slot($0) }), let digest = UInt64(stored: row[1]),
      let memberships = Data.fromDatabaseValue(row[3]).map({ [UInt8]($0) }),
      let state = Data.fromDatabaseValue(row[4])
    else { throw corrupt("its snapshot is damaged") }
    let checksum = try checksum(in: row, 2)
    guard checksum == Self.checksum(slot, digest: digest, memberships) else {
      throw corrupt("its snapshot does not fit its checksum")
    }
    guard checksum == head.snapshot else {
      throw corrupt("its snapshot is not the one that was written last")
    }
    let voters = try decoding("the snapshot") { () throws(CodingError) in
      try EntryCoding.memberships(in: memberships)
    }
    let snapshot = Snapshot(slot: slot, memberships: voters, state: [UInt8](state))
    guard snapshot.digest == digest else { throw corrupt("its snapshot's state does not fit its digest") }
    return snapshot
  }

  private func decoding<Value>(_ what: String, _ body: () throws(CodingError) -> Value) throws -> Value {
    do throws(CodingError) {
      return try body()
    } catch {
      switch error {
      case .version(let version):
        throw StoreError(.wrongVersion, path: path, detail: "\(what) is of version \(version)")
      case .malformed: throw corrupt("\(what) cannot be read")
      }
    }
  }

  // MARK: Checksums

  private func checksum(in row: Row, _ column: Int) throws -> UInt64 {
    guard let checksum = UInt64(stored: row[column]) else { throw corrupt("a checksum is damaged") }
    return checksum
  }

  private static func checksum(_ slot: Slot, _ ballot: Ballot, _ octets: [UInt8]) -> UInt64 {
    var checksum = Checksum()
    checksum.add(slot.number)
    checksum.add(ballot.round)
    checksum.add(ballot.replica.number)
    checksum.add(octets)
    return checksum.value
  }

  private static func checksum(_ slot: Slot, digest: UInt64, _ memberships: [UInt8]) -> UInt64 {
    var checksum = Checksum()
    checksum.add(slot.number)
    checksum.add(digest)
    checksum.add(memberships)
    return checksum.value
  }
}

extension UInt64 {
  /// As it lies in a row.
  fileprivate var stored: Int64 { Int64(bitPattern: self) }

  fileprivate init?(stored: DatabaseValue) {
    guard let number = Int64.fromDatabaseValue(stored) else { return nil }
    self.init(bitPattern: number)
  }
}
