public import Paxos

/// Why a disk could not do what a replica needs.
public struct DiskFailure: Error, Hashable, Sendable, CustomStringConvertible {
  /// Of what sort the failure is.
  public enum Code: String, Hashable, Sendable {
    /// There is no room; the same write may succeed when somebody has made some.
    case full
    /// The write was refused for another reason, which may pass.
    case unwritable
    /// What was read is not what was written, or is another version's: nothing of it may be used.
    case damaged
  }
  /// Of what sort the failure is.
  public let code: Code
  /// One sentence that says what and what to do.
  public let description: String

  /// Describes a failure.
  public init(_ code: Code, _ description: String) {
    self.code = code
    self.description = description
  }
}

/// What a replica needs of its disk: the seam behind which `Storage.ReplicaStore` stands.
///
/// All calls come one after the other, and may block as long as the disk does.
public protocol ReplicaDisk: Sendable {
  /// The disk's identifier, drawn at random when it was formatted, and never again.
  var replica: ReplicaID { get }

  /// All that it holds, checked; nil as long as it belongs to no cluster.
  ///
  /// Asked at the start, and again after writes have failed.
  func recover() throws(DiskFailure) -> DurableState?

  /// Makes it the disk of a cluster; durable on return. Called at most once with success in a disk's life.
  func found(_ state: DurableState) throws(DiskFailure)

  /// Carries out the batches in order, all or none of them, with one sync; durable on return.
  ///
  /// Batches that could not be written are offered again unchanged.
  func write(_ batches: [WriteBatch]) throws(DiskFailure)

  /// The disk is not used after this.
  func close()
}
