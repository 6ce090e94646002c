/// Records by slot, from the first that is kept on; slots may be empty above what is committed.
struct Log: Hashable, Sendable {
  private(set) var first: Slot
  private var records: [Record?] = []

  init(first: Slot, records sorted: [Record]) {
    self.first = first
    for record in sorted { insert(record) }
  }

  /// One past the last record.
  var end: Slot { first.advanced(by: records.count) }

  subscript(slot: Slot) -> Record? {
    guard slot >= first, slot < end else { return nil }
    return records[first.distance(to: slot)]
  }

  mutating func insert(_ record: Record) {
    guard record.slot >= first else { return }
    let index = first.distance(to: record.slot)
    while records.count <= index { records.append(nil) }
    records[index] = record
  }

  /// Drops what lies before a slot.
  mutating func truncate(before slot: Slot) {
    guard slot > first else { return }
    records.removeFirst(min(records.count, first.distance(to: slot)))
    first = slot
  }

  /// The first record to keep for those who were away for a moment when a snapshot holds all before a slot.
  func retained(before slot: Slot) -> Slot {
    var start = slot
    var octets = 0
    while start > first, start.distance(to: slot) < Limits.retainedEntries {
      octets += self[start.advanced(by: -1)]?.entry.size ?? 0
      guard octets <= Limits.retainedBytes else { break }
      start = start.advanced(by: -1)
    }
    return start
  }

  /// Records of slots from one on up to another, as many as fit a message, and where the rest begins.
  func page(from start: Slot, before limit: Slot) -> (records: [Record], rest: Slot?) {
    var page: [Record] = []
    var octets = 0
    var slot = max(start, first)
    let stop = min(limit, end)
    while slot < stop {
      if let record = self[slot] {
        octets += record.entry.size
        let isFull = page.count == Limits.messageEntries || octets > Limits.messageBytes
        if isFull, !page.isEmpty { return (page, slot) }
        page.append(record)
      }
      slot = slot.next
    }
    return (page, nil)
  }
}
