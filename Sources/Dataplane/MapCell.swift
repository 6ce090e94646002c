#if !$Embedded
public import Wire

/// A place of a VIP map in memory: one cache line with all that a packet of a settled slot needs but the
/// slot.
@unsafe public struct MapCell: BitwiseCopyable {
  /// What a place holds.
  public enum Kind: UInt8, BitwiseCopyable {
    /// Nothing; a search ends here.
    case empty
    /// An endpoint.
    case endpoint
    /// A VIP itself.
    case vip
  }
  @usableFromInline let address: EndpointAddress
  @usableFromInline let kind: Kind
  @usableFromInline let fields: HashedFields
  /// Of a VIP itself the row of its counters.
  @usableFromInline let number: UInt32
  /// Of a VIP itself the generation of that row.
  @usableFromInline let idleTimeout: UInt32
  @usableFromInline let slotCount: UInt32
  /// nil without backends.
  @usableFromInline let slots: UnsafePointer<UInt16>?
  @usableFromInline let targets: UnsafePointer<Target>?
  /// Of `targets`, those that take new connections.
  @usableFromInline let acceptingCount: UInt32
  @usableFromInline let targetCount: UInt32
  /// nil when nothing moves.
  @usableFromInline let movementPlaces: UnsafePointer<UInt16>?
  @usableFromInline let movementStates: UnsafePointer<MovementState>?

  /// An empty place.
  init() { unsafe self.init(.any, .empty, Target(locator: .any, row: 0, generation: 0)) }

  /// A VIP itself, which has port 0 and protocol 0.
  init(_ row: VIPRow) { unsafe self.init(row.vip, .vip, row.target) }

  private init(_ vip: IPv4Address, _ kind: Kind, _ counted: Target) {
    unsafe address = EndpointAddress(vip: vip, port: 0, proto: IPProtocol(0))
    unsafe self.kind = kind
    unsafe fields = .fiveTuple
    unsafe number = counted.row
    unsafe idleTimeout = counted.generation
    unsafe slotCount = 0
    unsafe slots = nil
    unsafe targets = nil
    unsafe acceptingCount = 0
    unsafe targetCount = 0
    unsafe movementPlaces = nil
    unsafe movementStates = nil
  }

  /// An endpoint, which the map keeps alive as long as the cell.
  init(_ state: EndpointState, index: Int) {
    let configuration = state.configuration
    unsafe address = configuration.address
    unsafe kind = .endpoint
    unsafe fields = configuration.affinity
    unsafe number = state.number
    unsafe idleTimeout = configuration.idleTimeout
    unsafe slotCount = UInt32(state.table.slotCount)
    unsafe slots = state.table.backends.isEmpty ? nil : UnsafePointer(state.table.slots)
    unsafe targets = UnsafePointer(state.targets)
    unsafe acceptingCount = UInt32(state.table.backends.count)
    unsafe targetCount = UInt32(state.targetCount)
    unsafe movementPlaces = state.movement.map { unsafe UnsafePointer($0.places) }
    unsafe movementStates = state.movement.map { unsafe UnsafePointer($0.states) }
  }

  /// Whether a backend is still the endpoint's, be it one that drains.
  @inlinable func serves(_ locator: IPv4Address) -> Bool {
    let accepting = unsafe Int(acceptingCount)
    let all = unsafe Int(targetCount)
    return unsafe Self.holds(targets, 0, accepting, locator) || Self.holds(targets, accepting, all, locator)
  }

  /// Whether a part of the targets, which is sorted, has a locator.
  @inlinable static func holds(
    _ targets: UnsafePointer<Target>?, _ from: Int, _ end: Int, _ locator: IPv4Address
  ) -> Bool {
    guard let targets = unsafe targets else { return false }
    var low = from
    var high = end
    while low < high {
      let middle = (low &+ high) / 2
      let found = unsafe targets[middle].locator
      if found == locator { return true }
      if found < locator { low = middle &+ 1 } else { high = middle }
    }
    return false
  }

  /// Where the search for an address begins, before it is cut to the number of places.
  @inlinable @inline(__always) static func firstPlace(_ address: EndpointAddress) -> Int {
    let number = UInt64(address.vip.number) << 32 | UInt64(address.port) << 8 | UInt64(address.proto.rawValue)
    return Int(truncatingIfNeeded: PoolHash.mixed(number))
  }
}
#endif
