public import Paxos
public import Replication
import Synchronization

/// A store as a running replica needs it: one that is opened again after a write has failed.
///
/// A `ReplicaStore` takes nothing more once it is unknown what is on disk. Opening it again settles that: what
/// is found is checked, written from the log into the file, and synced, before anybody relies on it.
public final class StoreDisk: ReplicaDisk {
  /// The store's identifier.
  public let replica: ReplicaID
  private let path: String
  private let store: Mutex<ReplicaStore?>

  /// Opens the store at a path, or makes it.
  public init(path: String) throws(StoreError) {
    let store = try ReplicaStore.open(path: path)
    self.path = path
    replica = store.identity
    self.store = Mutex(store)
  }

  /// All that the store holds, checked.
  public func recover() throws(DiskFailure) -> DurableState? {
    try using { store throws(StoreError) in try store.recover() }
  }

  /// Makes it the disk of a cluster.
  public func found(_ state: DurableState) throws(DiskFailure) {
    try using { store throws(StoreError) in try store.found(state) }
  }

  /// Carries out the batches, all or none.
  public func write(_ batches: [WriteBatch]) throws(DiskFailure) {
    try using { store throws(StoreError) in try store.write(batches) }
  }

  /// Closes the store.
  public func close() {
    store.withLock { store in
      try? store?.close()
      store = nil
    }
  }

  /// Does something with the store; lets go of it when that leaves unknown what is on disk.
  private func using<Value>(
    _ body: (ReplicaStore) throws(StoreError) -> sending Value
  ) throws(DiskFailure) -> Value {
    try store.withLock { (store) throws(DiskFailure) in
      do throws(StoreError) {
        let opened = if let store { store } else { try reopened() }
        store = opened
        return try body(opened)
      } catch {
        if error.isFinal {
          try? store?.close()
          store = nil
        }
        throw DiskFailure(error)
      }
    }
  }

  private func reopened() throws(StoreError) -> ReplicaStore {
    let store = try ReplicaStore.open(path: path)
    guard store.identity == replica else {
      throw StoreError(.corrupt, path: path, detail: "another replica's disk has come in its place")
    }
    _ = try store.recover()
    return store
  }
}

extension DiskFailure {
  /// What a store's failure means to a replica.
  fileprivate init(_ error: StoreError) {
    let code: Code =
      switch error.code {
      case .full: .full
      case .cannotWrite, .cannotOpen, .locked: .unwritable
      case .corrupt, .wrongVersion, .foreign, .founded, .anotherReplica: .damaged
      }
    self.init(code, error.description)
  }
}
