#if !$Embedded
import Wire

/// One endpoint within a VIP map; maps that follow each other share those that did not change.
@safe final class EndpointState: @unchecked Sendable {
  let configuration: EndpointConfiguration
  /// Stays the same as long as the endpoint exists.
  let number: UInt32
  let table: BackendTable
  /// For each backend of `table` where it is and where it is counted; written by `init` only.
  let targets: UnsafeMutablePointer<Target>
  let movement: Movement?

  init(
    _ configuration: EndpointConfiguration, number: UInt32, table: BackendTable, targets: [Target],
    movement: Movement?
  ) {
    precondition(targets.count == table.backends.count, "every backend has a target")
    self.configuration = configuration
    self.number = number
    self.table = table
    self.movement = movement
    unsafe self.targets = .allocate(capacity: max(targets.count, 1))
    for place in targets.indices { unsafe self.targets[place] = targets[place] }
  }

  deinit { unsafe targets.deallocate() }

  /// The backends in the order of the table.
  var targetList: [Target] { table.backends.indices.map { unsafe targets[$0] } }

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
