/// The place of a queue in arrays that hold something for each.
struct QueueIndex: Equatable {
  let stage: Stage
  let priority: Priority

  static let all = Stage.allCases.flatMap { stage in
    Priority.allCases.map { QueueIndex(stage, $0) }
  }

  init(_ stage: Stage, _ priority: Priority) {
    self.stage = stage
    self.priority = priority
  }

  var position: Int { stage.rawValue * Priority.allCases.count + priority.rawValue }
}
