#if !$Embedded
import Wire

/// One endpoint within a VIP map; maps that follow each other share those that did not change.
@safe final class EndpointState: @unchecked Sendable {
  let configuration: EndpointConfiguration
  /// Stays the same as long as the endpoint exists.
  let number: UInt32
  let table: BackendTable
  /// Where backends are and where they are counted: those of `table` in its order, then those that drain, sorted by
  /// locator; written by `init` only.
  let targets: UnsafeMutablePointer<Target>
  let targetCount: Int
  let movement: Movement?

  init(
    _ configuration: EndpointConfiguration, number: UInt32, table: BackendTable, targets: [Target],
    movement: Movement?
  ) {
    precondition(targets.count == configuration.backends.count, "every backend has a target")
    precondition(targets.count >= table.backends.count, "the table's backends are the endpoint's")
    self.configuration = configuration
    self.number = number
    self.table = table
    self.movement = movement
    targetCount = targets.count
    unsafe self.targets = .allocate(capacity: max(targets.count, 1))
    for place in targets.indices { unsafe self.targets[place] = targets[place] }
  }

  deinit { unsafe targets.deallocate() }

  /// The backends, those of the table first.
  var targetList: [Target] { (0..<targetCount).map { unsafe targets[$0] } }

  /// The backend of a slot.
  func target(ofSlot slot: Int) -> Target? {
    guard let place = table.place(ofSlot: slot) else { return nil }
    return unsafe targets[place]
  }

  /// All backends whose packets are counted, each once.
  var counted: [Target] {
    var all = targetList
    for base in movement?.bases ?? [] where !all.contains(base) { all.append(base) }
    return all
  }

  /// The same endpoint with nothing moving.
  func settled() -> EndpointState {
    EndpointState(configuration, number: number, table: table, targets: targetList, movement: nil)
  }
}
#endif
