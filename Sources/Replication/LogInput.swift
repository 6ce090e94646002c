import Control
import Manager
import Paxos

/// An entry that a primary wants in the log.
struct Appended: Sendable {
  var entry: Manager::Entry
  var octets: [UInt8]
  /// When it was appended, microseconds.
  var at: UInt64
}

/// What happens to a log's machine.
enum LogInput: Sendable {
  case tick
  case peer(PeerEvent)
  /// What the disk holds, at the start or after it has failed; nil: it belongs to no cluster. The seed is the
  /// replica's chance.
  case recovered(DurableState?, seed: UInt64)
  /// The disk has synced all batches up to this one of this life of the replica.
  case persisted(upTo: WriteID, life: UInt64)
  /// The disk could not; unless it is damaged, `recovered` follows when it can again.
  case diskFailed(DiskFailure)
  case append(Appended, Epoch)
  /// What a primary appended cannot be: its entries after that have no ground.
  case unappendable(String)
  case read(UInt64)
  case change(UInt64, ManagerChange)
  case snapshotTaken(Slot, [UInt8])
  /// What is chosen in a slot, or the snapshot of it, cannot be read.
  case undecodable(Slot, String)
  /// The process is about to end: hand leadership over.
  case resign
}

/// What a log's machine wants done, in this order.
enum LogEffect: Sendable {
  case persist(WriteBatch, life: UInt64)
  case send(Envelope)
  case tell(Telling)
  case introduce(PeerHello)
  case broadcast(PeerStatus)
  /// Make the disk this cluster's, then give back `recovered`.
  case found(DurableState)
  /// Read the disk again.
  case recover
  case log(Severity, String)
  /// It has come to its end, for this reason; nothing follows.
  case end(String)
}

/// What is told to the manager, once it is decoded.
enum Telling: Sendable {
  /// Its own entry, chosen.
  case entry(Slot, Manager::Entry)
  /// Somebody's entry, chosen.
  case octets(Slot, [UInt8])
  case snapshot(Paxos.Snapshot)
  case event(LogEvent)
}
