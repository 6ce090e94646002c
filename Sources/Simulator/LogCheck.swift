import Control
import Manager
import Paxos

/// Agreement: one entry per slot, one state per revision, the same on every replica and in every life.
///
/// It applies each chosen entry once more by itself, so that it knows what a replica must have come to.
struct LogCheck {
  /// What each slot holds, from slot 1.
  private var chosen: [Paxos::Entry] = []
  /// The entry of each revision, as an index into the codebook; nothing at 0.
  private var entries = [-1]
  /// The state after each revision.
  private(set) var states = [ManagerState()]
  private(set) var membershipChanges = 0
  /// Who votes, by the last change that is known to be chosen.
  private var membership: Membership

  init(founders: [ReplicaID]) {
    membership = Membership(founders: founders)
  }

  var voters: [ReplicaID] { membership.voters }
  /// Whether they vote in the next slot already.
  var isMembershipInForce: Bool { UInt64(chosen.count) + 1 >= membership.since.number }
  var newest: Revision { Revision(UInt64(states.count - 1)) }

  func state(at revision: Revision) -> ManagerState? {
    let index = Int(revision.number)
    return states.indices.contains(index) ? states[index] : nil
  }

  /// A replica applies an entry; the first to do so decides.
  ///
  /// - Returns: the manager's entry and its revision, if it is a new one.
  mutating func applied(_ entry: Paxos::Entry, at slot: Slot, by replica: ReplicaID, _ book: Codebook)
    throws(Finding) -> (entry: Manager::Entry, revision: Revision)?
  {
    let index = Int(slot.number) - 1
    if chosen.indices.contains(index) {
      guard chosen[index] == entry else {
        throw Finding(
          rule: .agreement, text: "replica \(replica.number) applies another entry in slot \(slot.number)")
      }
      return nil
    }
    guard index == chosen.count else {
      throw Finding(
        rule: .agreement,
        text: "replica \(replica.number) applies slot \(slot.number) before the one before it")
    }
    chosen.append(entry)
    if case .membership(let change) = entry {
      membershipChanges += 1
      membership = membership.changed(by: change, decided: slot) ?? membership
    }
    guard case .command(let octets) = entry, let entry = book.entry(octets), var state = states.last else {
      return nil
    }
    let revision = Revision(newest.number + 1)
    _ = state.apply(entry, at: revision)
    states.append(state)
    entries.append(Codebook.index(octets))
    return (entry, revision)
  }

  /// A manager takes an entry as a revision.
  func taken(_ entry: Int, as revision: Revision, by replica: ReplicaID) throws(Finding) {
    let index = Int(revision.number)
    guard entries.indices.contains(index), entries[index] == entry else {
      throw Finding(
        rule: .agreement,
        text: "replica \(replica.number) takes another entry than the others as revision \(revision.number)")
    }
  }

  /// A manager has come to a state.
  func holds(_ state: ManagerState, _ replica: ReplicaID, isWhole: Bool) throws(Finding) {
    guard let known = self.state(at: state.revision), known.epoch == state.epoch else {
      throw Finding(
        rule: .agreement, text: "replica \(replica.number) is at revision \(state.revision.number) by itself")
    }
    guard isWhole, known != state else { return }
    throw Finding(
      rule: .agreement,
      text:
        "replica \(replica.number) has another state than the others after revision \(state.revision.number)")
  }
}
