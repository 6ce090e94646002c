import Control
import Paxos

/// Fencing: whose commands are obeyed, and who may give them (`system.md` §6).
struct FencingCheck {
  /// What a node has obeyed; it outlives the agent's process.
  private struct Obeyed {
    var epoch = Epoch.none
    var revision = Revision(0)
  }

  private var obeyed: [Obeyed]
  /// By manager: the first entry that proves a primary which was contradicted.
  private var proofs: [Int: Int] = [:]

  init(agents: Int) {
    obeyed = (0..<agents).map { _ in Obeyed() }
  }

  /// A node has carried an update out.
  mutating func carriedOut(_ update: Update, by agent: Int) throws(Finding) {
    let last = obeyed[agent]
    guard update.epoch >= last.epoch else {
      throw Finding(
        rule: .fencing,
        text: "node\(agent) obeys the primary of epoch \(update.epoch) after that of epoch \(last.epoch)")
    }
    guard update.revision >= last.revision else {
      throw Finding(
        rule: .fencing,
        text: "node\(agent) goes back from revision \(last.revision.number) to \(update.revision.number)")
    }
    obeyed[agent] = Obeyed(epoch: update.epoch, revision: update.revision)
  }

  /// The revision that a node runs.
  func revision(of agent: Int) -> Revision { obeyed[agent].revision }

  /// A primary learns that a node has seen a higher epoch; true if it was not known before.
  mutating func contradicted(_ manager: Int, nextEntry: Int) -> Bool {
    guard proofs[manager] == nil else { return false }
    proofs[manager] = nextEntry
    return true
  }

  /// A manager takes the beginning of an epoch from the log.
  mutating func proved(_ manager: Int, by entry: Int) {
    if let first = proofs[manager], entry >= first { proofs[manager] = nil }
  }

  /// A manager is not primary any more, or has ended.
  mutating func ended(_ manager: Int) { proofs[manager] = nil }

  /// A manager gives an order.
  func ordered(_ manager: Int) throws(Finding) {
    guard proofs[manager] == nil else {
      throw Finding(
        rule: .fencing,
        text: "manager \(manager) goes on ordering though a node has seen a newer primary, and proves nothing"
      )
    }
  }
}
