public import Dataplane
public import Platform

extension MuxKernel {
  /// What an agent before this one left in force; nil when there was none.
  ///
  /// To be asked before the first image is installed.
  public func remains() throws(PlatformError) -> KernelRemains? {
    var endpoints: [(address: EndpointAddress, value: KernelEndpoint)] = []
    switch try maps.endpoints.inner(at: UInt32(0), named: "endpoint_index") {
    case .none: return nil
    case .some(let map):
      for number in try map.elements(of: UInt32(0), as: UInt32.self) ?? [] where number != 0 {
        guard let value: KernelEndpoint = try maps.endpointValues.value(of: number) else { continue }
        endpoints.append((EndpointAddress(packed: value.key), value))
      }
    }
    endpoints.sort { $0.address < $1.address }
    let served = endpoints.filter { $0.address.port != 0 }
    let bank = endpoints.first.map { UInt32($0.value.bank) } ?? 0
    let targetCount = served.map { Int($0.value.firstTarget) + Int($0.value.targetCount) }.max() ?? 0
    let targets: [Target] = try values(
      maps.targets, from: Int(bank) * KernelLayout.targets, count: min(targetCount, KernelLayout.targets))
    var tables: [UInt32: [KernelSlot]] = [:]
    var movementCount = 0
    for (_, value) in served where value.acceptingCount > 0 || value.isMoving != 0 {
      if tables[value.table] == nil { tables[value.table] = try slots(ofTable: value.table) }
      guard value.isMoving != 0, let slots = tables[value.table] else { continue }
      let last = slots.prefix(Int(value.slotCount)).map(\.movement).max() ?? 0
      movementCount = max(movementCount, Int(value.firstMovement) + Int(last) + 1)
    }
    let movements: [MovementState] = try values(
      maps.movements, from: Int(bank) * KernelLayout.movements,
      count: min(movementCount, KernelLayout.movements))
    return KernelRemains(endpoints: endpoints, targets: targets, movements: movements, tables: tables)
  }

  private func values<Value: BitwiseCopyable>(
    _ map: borrowing BPFMap, from first: Int, count: Int
  ) throws(PlatformError) -> [Value] {
    var values: [Value] = []
    for index in 0..<count {
      guard let value: Value = try map.value(of: UInt32(first + index)) else { break }
      values.append(value)
    }
    return values
  }

  private func slots(ofTable place: UInt32) throws(PlatformError) -> [KernelSlot] {
    switch try maps.tables.inner(at: place) {
    case .none: return []
    case .some(let table):
      return KernelSlot.slots(ofTable: try table.elements(of: UInt32(0), as: UInt16.self) ?? [])
    }
  }
}
