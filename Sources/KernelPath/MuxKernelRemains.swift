public import Dataplane
public import Platform
internal import Wire

extension MuxKernel {
  /// What an agent before this one left in force; nil when there was none.
  ///
  /// To be asked before the first image is installed.
  public func remains() throws(PlatformError) -> KernelRemains? {
    var endpoints: [(address: EndpointAddress, value: KernelEndpoint)] = []
    switch try maps.endpoints.inner(at: UInt32(0), named: "endpoint_map") {
    case .none: return nil
    case .some(let map):
      try map.forEach { (address: EndpointAddress, value: KernelEndpoint) in endpoints.append((address, value)) }
    }
    endpoints.sort { $0.address < $1.address }
    let served = endpoints.filter { $0.address.port != 0 }
    let bank = served.first.map { UInt32($0.value.bank) } ?? 0
    let targetCount = served.map { Int($0.value.firstTarget) + Int($0.value.targetCount) }.max() ?? 0
    let targets: [Target] = try values(maps.targets, bank: bank, count: targetCount)
    var tables: [UInt32: [KernelSlot]] = [:]
    var movementCount = 0
    for (_, value) in served where value.acceptingCount > 0 || value.isMoving != 0 {
      if tables[value.table] == nil { tables[value.table] = try slots(ofTable: value.table) }
      guard value.isMoving != 0, let slots = tables[value.table] else { continue }
      let last = slots.prefix(Int(value.slotCount)).map(\.movement).max() ?? 0
      movementCount = max(movementCount, Int(value.firstMovement) + Int(last) + 1)
    }
    let movements: [MovementState] = try values(maps.movements, bank: bank, count: movementCount)
    return KernelRemains(endpoints: endpoints, targets: targets, movements: movements, tables: tables)
  }

  private func values<Value: BitwiseCopyable>(
    _ outer: borrowing BPFMap, bank: UInt32, count: Int
  ) throws(PlatformError) -> [Value] {
    var values: [Value] = []
    switch try outer.inner(at: bank) {
    case .none: break
    case .some(let inner):
      for index in 0..<min(count, inner.definition.shape.maxEntries) {
        guard let value: Value = try inner.value(of: UInt32(index)) else { break }
        values.append(value)
      }
    }
    return values
  }

  private func slots(ofTable place: UInt32) throws(PlatformError) -> [KernelSlot] {
    switch try maps.tables.inner(at: place) {
    case .none: return []
    case .some(let table): return try table.elements(of: UInt32(0), as: KernelSlot.self) ?? []
    }
  }
}
