import Control
import Manifest

/// One row for each change of the configuration.
struct AuditRows {
  private let records: [AuditRecord]

  init(_ records: [AuditRecord]) { self.records = records }

  let columns = ListingColumns(narrow: ["TIME", "REVISION", "WHO", "WHAT"])

  /// What a table says of a change's resources; the rest is counted, and `wide` names all that were kept.
  private static let itemsInTable = 3

  var entries: [ListingEntry] {
    records.map { record in
      let value = Self.value(record)
      return ListingEntry(
        name: "\(record.revision.number)", names: ["\(record.revision.number)"],
        cells: { Self.cells(record, items: Self.itemsInTable) },
        wideCells: { Self.cells(record, items: record.items.count) }, json: value, yaml: value.yaml)
    }
  }

  private static func cells(_ record: AuditRecord, items: Int) -> [String] {
    let named = record.items.prefix(items).map { "\($0.key.commandLineName) \($0.action.rawValue)" }
    let rest = record.count - named.count
    let more = rest > 0 ? ["\(rest) more"] : []
    let what = (record.note.isEmpty ? [] : [record.note]) + named + more
    return [
      Phrase.time(milliseconds: record.author.at), "\(record.revision.number)", record.author.name,
      what.joined(separator: ", "),
    ]
  }

  private static func value(_ record: AuditRecord) -> StructuredValue {
    let items = record.items.map { item in
      StructuredValue.fields(
        ("kind", .text(item.key.kind.rawValue)), ("name", .text(item.key.name)),
        ("action", .text(item.action.rawValue)))
    }
    return .fields(
      ("time", .text(Phrase.time(milliseconds: record.author.at))),
      ("revision", .counter(record.revision.number)), ("who", .text(record.author.name)),
      ("note", .text(record.note)), ("items", .list(items)), ("count", .integer(record.count)))
  }
}
