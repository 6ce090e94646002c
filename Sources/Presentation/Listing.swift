public import Control
import Manifest
import Wire

/// What `get` and `events` show: rows of one sort, narrowed to names.
public struct Listing {
  /// A form of output.
  public enum Format: String, CaseIterable, Sendable {
    case table, wide, json, yaml, name
  }

  /// As it stands before a name: `service/blue`.
  private let singular: String
  private let columns: ListingColumns
  private let entries: [ListingEntry]
  private let names: [String]

  /// Selects from a state.
  ///
  /// - Parameters:
  ///   - subject: what is shown; a part of the state.
  ///   - names: nothing else is shown; empty: everything is. Endpoints and backends go by the name of their service,
  ///     or `SERVICE/ENDPOINT`.
  ///   - state: as a manager gave it.
  public init(_ subject: Subject, names: [String] = [], of state: ClusterState) {
    precondition(subject.isPartOfState, "a listing of what is no part of the state")
    let rows = StateRows(subject, of: state)
    self.init(singular: subject.singular, rows.columns, rows.entries, names: names)
  }

  /// Selects managers, which go by node, address or replica.
  public init(of group: ManagerGroup, names: [String] = []) {
    let rows = ManagerRows(group)
    self.init(singular: Subject.managers.singular, rows.columns, rows.entries, names: names)
  }

  /// Lists changes in their order.
  public init(of records: [AuditRecord]) {
    let rows = AuditRows(records)
    self.init(singular: "event", rows.columns, rows.entries, names: [])
  }

  private init(
    singular: String, _ columns: ListingColumns, _ entries: [ListingEntry], names: [String]
  ) {
    self.singular = singular
    self.columns = columns
    self.entries = entries
    self.names = names
  }

  /// The listings of `get all`, those without content left out.
  public static func all(of state: ClusterState) -> [Listing] {
    [.nodes, .networks, .vms, .services].map { Listing($0, of: state) }.filter { !$0.isEmpty }
  }

  /// Those of the asked names that nothing bears.
  public var missing: [String] {
    let known = Set(entries.flatMap(\.names))
    return names.filter { !known.contains($0) }
  }

  /// Whether there is nothing to show.
  public var isEmpty: Bool { selected.isEmpty }

  /// The text of one listing; empty for a table without rows.
  ///
  /// - Parameters:
  ///   - format: how it is written.
  ///   - isOneOfMany: names bear their kind, `service/blue`.
  /// - Returns: lines that each end with a line feed.
  public func text(_ format: Format, isOneOfMany: Bool = false) -> String {
    switch format {
    case .table, .wide: isEmpty ? "" : table(isWide: format == .wide, isOneOfMany: isOneOfMany).text()
    case .name: selected.map { "\(singular)/\($0.name)\n" }.joined()
    case .json: Self.json([self])
    case .yaml: selected.map(\.yaml).joined(separator: "---\n")
    }
  }

  /// The items of several listings as one JSON list.
  public static func json(_ listings: [Listing]) -> String {
    StructuredValue.fields(
      ("kind", .text("List")), ("items", .list(listings.flatMap { $0.selected.map(\.json) }))
    ).json
  }

  private func table(isWide: Bool, isOneOfMany: Bool) -> TextTable {
    let width = isWide ? columns.narrow.count + columns.wide.count : columns.narrow.count
    var table = TextTable(Array((columns.narrow + columns.wide).prefix(width)))
    for entry in selected {
      let all = isWide ? entry.wideCells?() ?? entry.cells() : entry.cells()
      var cells = Array(all.prefix(width))
      if isOneOfMany { cells[0] = "\(singular)/\(cells[0])" }
      table.add(cells)
    }
    return table
  }

  private var selected: [ListingEntry] {
    guard !names.isEmpty else { return entries }
    let wanted = Set(names)
    return entries.filter { !wanted.isDisjoint(with: $0.names) }
  }
}

/// The headings of a table, and those that `wide` adds.
struct ListingColumns {
  let narrow: [String]
  var wide: [String] = []
}

/// One row of a listing.
struct ListingEntry {
  /// As it is printed and typed.
  let name: String
  /// What selects it.
  var names: [String]
  /// In the order of the columns, narrow ones first.
  let cells: () -> [String]
  /// What `wide` shows instead, where that is more than further columns.
  var wideCells: (() -> [String])?
  /// What `-o json` shows.
  let json: StructuredValue
  /// What `-o yaml` shows: for resources a manifest that `apply` takes.
  let yaml: String
}
