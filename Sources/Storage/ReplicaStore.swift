import GRDB
public import Paxos
import Synchronization

/// A replica's disk: one SQLite file that holds what `DurableState` says and is never trusted without proof.
///
/// One store has the file, and keeps it locked while it is open. Each `write` is one transaction and one sync.
/// What was confirmed is there after a crash; what is damaged, missing or from another time is refused by
/// name. The calls wait for the disk: they belong on a thread of their own.
public final class ReplicaStore: Sendable {
  /// The file.
  public let path: String
  /// Drawn when the file was made: the disk's name for as long as it lives.
  public let identity: ReplicaID
  private let database: DatabaseQueue
  private let mark: Mark
  private let progress: Mutex<Progress>

  /// What may be done.
  private enum Progress {
    /// Nothing but the head was looked at, or there is nothing else.
    case opened(Head)
    /// All is checked.
    case usable(Head)
    /// Nothing any more: what is on disk is unknown, or known to be wrong.
    case failed(StoreError)
  }

  private init(_ path: String, _ database: DatabaseQueue, _ mark: Mark, _ head: Head) {
    self.path = path
    self.database = database
    self.mark = mark
    identity = head.replica
    progress = Mutex(.opened(head))
  }

  /// Opens a store, or makes one where there is no file or an empty one.
  ///
  /// A file that is something else is refused and stays as it is.
  public static func open(path: String) throws(StoreError) -> ReplicaStore {
    if !Mark.exists(beside: path) { try StoreFile.check(path, isMarked: false) }
    let mark = try Mark(beside: path)
    let reading = try mark.read()
    try StoreFile.check(path, isMarked: reading != .blank)
    let (database, head) = try StoreError.translating(path, opening: true) { try StoreFile.connect(path) }
    try mark.check(reading, against: head, path)
    if reading == .blank {
      try mark.write(head.replica, generation: head.generation)
      try mark.sync()
    }
    return ReplicaStore(path, database, mark, head)
  }

  /// Reads all and checks all; nothing if the disk belongs to no cluster yet.
  ///
  /// What is returned is durable, also what was not confirmed before a crash: it is brought from the
  /// write-ahead log, which may never have reached the disk, into the file, and that is synced.
  public func recover() throws(StoreError) -> DurableState? {
    try advancing { progress throws(StoreError) in
      if case .failed(let error) = progress { throw error }
      let (head, state) = try StoreError.translating(path) { try database.read { try Self.read($0, path) } }
      try StoreError.translating(path) {
        _ = try database.writeWithoutTransaction { try $0.checkpoint(.truncate) }
      }
      try mark.write(identity, generation: head.generation)
      progress = state == nil ? .opened(head) : .usable(head)
      return state
    }
  }

  /// Makes the disk a cluster's, once in its life; durable when it returns.
  public func found(_ state: DurableState) throws(StoreError) {
    try advancing { progress throws(StoreError) in
      var head = try head(of: progress)
      if let cluster = head.cluster {
        throw StoreError(.founded, path: path, detail: "to cluster \(cluster.number)")
      }
      guard state.replica == identity else {
        let detail = "it is \(identity.number)'s, not \(state.replica.number)'s"
        throw StoreError(.anotherReplica, path: path, detail: detail)
      }
      head.cluster = state.cluster
      head.promised = state.promised
      head.committed = state.committed
      try commit(&head) { tables, head in
        try tables.put(state.snapshot, to: &head)
        for record in state.records { try tables.put(record, to: &head.records) }
      }
      progress = .usable(head)
    }
  }

  /// Carries out all writes of all batches in order, or none: durable when it returns.
  ///
  /// Only after `.full` may it be tried again. After any other failure nobody knows what is on disk, and the
  /// store takes no more. To be used after `recover` or `found`.
  public func write(_ batches: [WriteBatch]) throws(StoreError) {
    guard batches.contains(where: { !$0.writes.isEmpty }) else { return }
    try advancing { progress throws(StoreError) in
      var head = try head(of: progress)
      guard case .usable = progress else { preconditionFailure("a store that is not recovered") }
      try commit(&head) { tables, head in
        for batch in batches { for write in batch.writes { try tables.apply(write, to: &head) } }
      }
      progress = .usable(head)
    }
  }

  /// Closes the file and gives its lock back; the store cannot be used after it.
  public func close() throws(StoreError) {
    try progress.withLock { (progress) throws(StoreError) in
      progress = .failed(StoreError(.cannotWrite, path: path, detail: "it was closed"))
      defer { mark.unlock() }
      try StoreError.translating(path) { try database.close() }
      try mark.sync()
    }
  }

  // MARK: Transactions

  /// Holds on to the first failure that leaves it unknown what is on disk.
  private func advancing<Value>(
    _ body: (inout Progress) throws(StoreError) -> sending Value
  ) throws(StoreError) -> Value {
    try progress.withLock { (progress) throws(StoreError) in
      do throws(StoreError) {
        return try body(&progress)
      } catch {
        if error.isFinal { progress = .failed(error) }
        throw error
      }
    }
  }

  private func head(of progress: Progress) throws(StoreError) -> Head {
    switch progress {
    case .opened(let head), .usable(let head): head
    case .failed(let error): throw error
    }
  }

  private func commit(_ head: inout Head, _ body: (StoreTables, inout Head) throws -> Void) throws(StoreError)
  {
    head.generation += 1
    try StoreError.translating(path) {
      try database.write { database in
        let tables = StoreTables(database: database, path: path)
        try body(tables, &head)
        try tables.update(head)
      }
    }
    try mark.write(identity, generation: head.generation)
  }

  private static func read(_ database: Database, _ path: String) throws -> (Head, DurableState?) {
    let tables = StoreTables(database: database, path: path)
    if let fault = try String.fetchOne(database, sql: "PRAGMA integrity_check(1)"), fault != "ok" {
      throw tables.corrupt(fault)
    }
    let head = try tables.head()
    if let cluster = head.cluster { return (head, try tables.state(head, in: cluster)) }
    guard try tables.records(RowSet()).isEmpty, head.snapshot == 0 else {
      throw tables.corrupt("it belongs to no cluster, and is not empty")
    }
    return (head, nil)
  }
}
