import Foundation
import Glibc
import Paxos

/// The file beside a store that locks it, and says up to which transaction it was confirmed.
///
/// SQLite ends its write-ahead log where a frame does not fit its checksum. An unfinished write and a damaged
/// one look alike to it; what comes after is forgotten without a word, and a promise with it. The mark is
/// written after each sync and before the confirmation. It is not synced itself: whatever of it reaches the
/// disk was true when it was written. A store that ends before its mark has lost something.
///
/// ```
/// format 1 | replica | generation | checksum      8 octets each, most significant first
/// ```
final class Mark: Sendable {
  /// What it says.
  enum Reading: Hashable {
    /// It was never written.
    case blank
    /// It is not what was written.
    case damaged
    /// Whose store, and up to which transaction it was confirmed.
    case confirmed(ReplicaID, generation: UInt64)
  }

  private static let format: UInt64 = 1
  private static let size = 32

  private let path: String
  private let descriptor: CInt

  /// Takes the lock of the store at a path.
  init(beside store: String) throws(StoreError) {
    let path = Self.path(beside: store)
    let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Self.failure(path, errno == ENOSPC ? .full : .cannotOpen) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let error = Self.failure(store, errno == EWOULDBLOCK ? .locked : .cannotOpen)
      _ = Glibc.close(descriptor)
      throw error
    }
    self.path = path
    self.descriptor = descriptor
  }

  deinit { _ = Glibc.close(descriptor) }

  static func path(beside store: String) -> String { store + "-mark" }

  static func exists(beside store: String) -> Bool {
    FileManager.default.fileExists(atPath: path(beside: store))
  }

  func read() throws(StoreError) -> Reading {
    var octets = [UInt8](repeating: 0, count: Self.size + 1)
    let count = unsafe pread(descriptor, &octets, octets.count, 0)
    guard count >= 0 else { throw Self.failure(path, .cannotOpen) }
    octets.removeLast(octets.count - count)
    if octets.allSatisfy({ $0 == 0 }) { return .blank }
    var reader = OctetReader(octets)
    guard count == Self.size, reader.number() == Self.format, let replica = reader.number(),
      let generation = reader.number()
    else { return .damaged }
    let expected = Self.octets(ReplicaID(replica), generation)
    return octets == expected ? .confirmed(ReplicaID(replica), generation: generation) : .damaged
  }

  /// Refuses a store that is another, or that ends before what was confirmed.
  func check(_ reading: Reading, against head: Head, _ store: String) throws(StoreError) {
    let fault: String
    switch reading {
    case .confirmed(let replica, let generation):
      guard replica == head.replica else {
        throw StoreError(.corrupt, path: store, detail: "\(path) is of another replica's disk")
      }
      if generation <= head.generation { return }
      fault = "it ends at transaction \(head.generation), and \(generation) were confirmed"
    case .damaged: fault = "\(path) is not what was written"
    case .blank:
      if head.cluster == nil { return }
      fault = "\(path) is missing or empty"
    }
    throw StoreError(.corrupt, path: store, detail: fault)
  }

  /// Says that all up to a transaction is confirmed.
  func write(_ replica: ReplicaID, generation: UInt64) throws(StoreError) {
    let octets = Self.octets(replica, generation)
    guard unsafe pwrite(descriptor, octets, octets.count, 0) == octets.count else {
      throw Self.failure(path, .cannotWrite)
    }
  }

  /// Makes what was written durable, and that the files are there.
  func sync() throws(StoreError) {
    let directory = (path as NSString).deletingLastPathComponent
    let parent = unsafe open(directory.isEmpty ? "." : directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard parent >= 0 else { throw Self.failure(path, .cannotOpen) }
    defer { _ = Glibc.close(parent) }
    guard fsync(descriptor) == 0, fsync(parent) == 0 else { throw Self.failure(path, .cannotWrite) }
  }

  /// Gives the lock back.
  func unlock() { _ = flock(descriptor, LOCK_UN) }

  private static func octets(_ replica: ReplicaID, _ generation: UInt64) -> [UInt8] {
    var writer = OctetWriter()
    var checksum = Checksum()
    for number in [format, replica.number, generation] {
      writer.put(number)
      checksum.add(number)
    }
    writer.put(checksum.value)
    return writer.octets
  }

  private static func failure(_ path: String, _ code: StoreError.Code) -> StoreError {
    StoreError(code, path: path, detail: unsafe String(cString: strerror(errno)))
  }
}
