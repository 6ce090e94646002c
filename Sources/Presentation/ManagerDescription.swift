public import Control

/// What `describe manager` shows.
public struct ManagerDescription: Sendable {
  private let group: ManagerGroup

  /// Prepares to describe the managers of a group.
  public init(of group: ManagerGroup) { self.group = group }

  /// The text about the manager of a node, an address or a replica; nil when there is none.
  public func text(_ name: String) -> String? {
    group.managers.first { manager in
      [manager.node, "\(manager.address)", Phrase.replica(manager)].contains(name) && !name.isEmpty
    }.map(describe)
  }

  private func describe(_ manager: ManagerStatus) -> String {
    var text = DescriptionText()
    text.fact("Node", manager.node)
    text.fact("Kind", "Manager")
    text.fact("Address", "\(manager.address)")
    text.fact("Cluster", group.cluster == 0 ? "not founded" : String(group.cluster, radix: 16))
    text.fact("Replica", Phrase.replica(manager))
    let age = manager.replica == 0 ? "" : ", for \(Phrase.age(seconds: manager.seconds))"
    text.fact("Role", manager.role.rawValue + age)
    guard manager.replica != 0 else { return text.text }
    text.fact(
      "Vote", manager.isVoter ? "counts" : "none; `ananta-ctl managers add \(manager.node)` gives it one")
    text.fact("Ballot", Phrase.ballot(manager))
    text.fact("Log", "\(manager.committed) chosen, \(group.lag(of: manager)) behind the newest known")
    text.fact("Snapshot", "up to \(manager.snapshot)")
    text.fact("Heard", Phrase.heard(manager, of: group))
    text.fact("Says", "the manager of \(group.answering)")
    guard manager.node == group.answering else { return text.text }
    text.fact("Obstacle", group.obstacle)
    text.table("Stages", CounterTables.stages(group.counters))
    text.table("Counters", CounterTables.others(group.counters))
    return text.text
  }
}

/// What an operator should know of a group beyond its rows.
extension ManagerGroup {
  /// Sentences to be printed beside a list of managers; none when all is well.
  public var warnings: [String] {
    var sentences = obstacle.isEmpty ? [] : ["the manager of \(answering) does not run: \(obstacle)"]
    let voters = managers.filter(\.isVoter)
    let present = voters.filter { $0.role != .unreachable && $0.role != .halted }
    if cluster == 0 {
      sentences.append("the managers have not founded a cluster yet; all that are configured must be running")
    } else if 2 * present.count <= voters.count {
      sentences.append(
        "only \(present.count) of \(voters.count) voters can be seen from \(answering): nothing can be changed"
      )
    } else if !managers.contains(where: { $0.role == .leader }) {
      sentences.append("\(answering) knows no leader at the moment")
    }
    return sentences
  }
}
