import Control
import Manager
import Paxos

/// What of a manager's inside the checkers have to see.
enum Sight {
  /// The log has given an entry of a slot.
  case applied(Slot, Paxos::Entry)
  /// The manager takes an entry of the codebook as a revision.
  case taken(entry: Int, Revision)
  /// The manager has come to a state; `isWhole` when all of it is to be compared.
  case state(ManagerState, isWhole: Bool)
  case snapshotTaken
  case leading(Ballot)
  case deposed
  /// The manager knows that it is primary; again in a higher epoch, after a change of who votes.
  case tookLeadership
  /// The manager knows that it is deposed.
  case tookDeposition
  /// A node has seen a higher epoch than this primary's, and the primary knows.
  case contradicted
  /// The manager sends an order.
  case ordered(Update)
  /// The manager says that all nodes of this state run the revision.
  case waitEnded(Revision, ManagerState)
  case shed
  case held
  case statisticsShed
  case proposalRefused(Refusal)
  case administrationRefused(Refusal)
  case rejected(from: ReplicaID, Envelope.Rejection)
}
