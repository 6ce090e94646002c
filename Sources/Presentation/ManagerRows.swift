import Control
import Manifest

/// One row for each manager of a group.
struct ManagerRows {
  private let group: ManagerGroup

  init(_ group: ManagerGroup) { self.group = group }

  let columns = ListingColumns(
    narrow: ["NODE", "ADDRESS", "ROLE", "VOTER", "BALLOT", "LOG", "LAG", "SINCE"],
    wide: ["REPLICA", "SNAPSHOT", "HEARD"])

  var entries: [ListingEntry] { group.managers.map(entry) }

  private func entry(_ manager: ManagerStatus) -> ListingEntry {
    let value = Self.value(manager, of: group)
    return ListingEntry(
      name: manager.node.isEmpty ? "\(manager.address)" : manager.node,
      names: [manager.node, "\(manager.address)", Phrase.replica(manager)].filter { !$0.isEmpty },
      cells: { cells(manager) }, json: value, yaml: value.yaml)
  }

  private func cells(_ manager: ManagerStatus) -> [String] {
    let isKnown = manager.replica != 0
    return [
      manager.node, "\(manager.address)", manager.role.rawValue, isKnown ? Phrase.truth(manager.isVoter) : "",
      Phrase.ballot(manager), isKnown ? "\(manager.committed)" : "",
      isKnown ? "\(group.lag(of: manager))" : "", isKnown ? Phrase.age(seconds: manager.seconds) : "",
      Phrase.replica(manager), isKnown ? "\(manager.snapshot)" : "", Phrase.heard(manager, of: group),
    ]
  }

  private static func value(_ manager: ManagerStatus, of group: ManagerGroup) -> StructuredValue {
    .fields(
      ("node", .text(manager.node)), ("address", .text("\(manager.address)")),
      ("role", .text(manager.role.rawValue)), ("voter", .boolean(manager.isVoter)),
      ("replica", .text(Phrase.replica(manager))), ("ballot", .text("\(manager.ballot)")),
      ("committed", .counter(manager.committed)), ("lag", .counter(group.lag(of: manager))),
      ("snapshot", .counter(manager.snapshot)), ("seconds", .counter(manager.seconds)),
      ("silentMilliseconds", .counter(manager.silentMilliseconds)))
  }
}
