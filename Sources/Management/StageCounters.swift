import Control
import SEDA

extension StagePool {
  /// What was counted in each queue that was ever used, and how long works waited in it.
  var counters: [Counter] {
    Stage.allCases.flatMap { stage in
      let metrics = metrics(of: stage)
      return Priority.allCases.flatMap { priority -> [Counter] in
        let queue = metrics[priority]
        guard queue.admitted + queue.shed > 0 else { return [] }
        let labels = ["priority": priority.name, "stage": stage.name]
        let values: [(String, UInt64)] = [
          ("admitted_total", queue.admitted), ("finished_total", queue.finished),
          ("expired_total", queue.expired), ("length", UInt64(queue.length)),
          ("longest_length", UInt64(queue.highWaterMark)), ("wait_microseconds_p50", queue.wait.p50),
          ("wait_microseconds_p99", queue.wait.p99), ("service_microseconds_p50", queue.service.p50),
          ("service_microseconds_p99", queue.service.p99),
        ]
        let shed: [(String, UInt64)] = [("full", queue.shedAsFull), ("key-limit", queue.shedAsKeyLimit)]
        return values.map { Counter(name: "ananta_stage_" + $0.0, labels: labels, value: $0.1) }
          + shed.map { reason, count in
            let labels = labels.merging(["reason": reason]) { first, _ in first }
            return Counter(name: "ananta_stage_shed_total", labels: labels, value: count)
          }
      }
    }
  }
}

extension ShedReason {
  /// A sentence for whoever was not served.
  func sentence(_ stage: Stage) -> String {
    switch self {
    case .queueFull: "too much waits in the stage \(stage.name)"
    case .keyLimit: "too much of the same caller's waits in the stage \(stage.name)"
    }
  }
}
