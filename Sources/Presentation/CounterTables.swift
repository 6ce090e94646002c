import Control

/// A manager's counters as tables: its stages, and everything else by name.
enum CounterTables {
  private static let stage = "ananta_stage_"
  /// The columns of the stages, and the counter that each shows.
  private static let columns: [(heading: String, counter: String)] = [
    ("WAITING", "length"), ("MOST", "longest_length"), ("TAKEN", "admitted_total"), ("SHED", "shed_total"),
    ("EXPIRED", "expired_total"), ("DONE", "finished_total"), ("WAIT P50", "wait_microseconds_p50"),
    ("WAIT P99", "wait_microseconds_p99"), ("WORK P50", "service_microseconds_p50"),
    ("WORK P99", "service_microseconds_p99"),
  ]

  /// Each queue that was ever used, in the order in which the manager names them.
  static func stages(_ counters: [Counter]) -> TextTable {
    var table = TextTable(["STAGE", "PRIORITY"] + columns.map(\.heading))
    var queues: [[String]] = []
    var values: [[String]: [String: UInt64]] = [:]
    for counter in counters where counter.name.hasPrefix(stage) {
      let queue = [counter.labels["stage", default: ""], counter.labels["priority", default: ""]]
      if values[queue] == nil { queues.append(queue) }
      values[queue, default: [:]][String(counter.name.dropFirst(stage.count)), default: 0] += counter.value
    }
    for queue in queues {
      table.add(
        queue
          + columns.map { column in
            guard let value = values[queue]?[column.counter] else { return "" }
            return column.counter.contains("microseconds") ? Phrase.duration(microseconds: value) : "\(value)"
          })
    }
    return table
  }

  /// Everything but stages and histograms' buckets; what is still zero is left out.
  static func others(_ counters: [Counter]) -> TextTable {
    var table = TextTable(["NAME", "LABELS", "VALUE"])
    for counter in counters where counter.value > 0 {
      guard !counter.name.hasPrefix(stage), !counter.name.hasSuffix("_bucket") else { continue }
      let labels = counter.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
      table.add([counter.name, labels.joined(separator: ","), "\(counter.value)"])
    }
    return table
  }
}
