#if !$Embedded
public import Wire

/// A VIP map as the kernel's maps hold it: what has to be written so that packets are judged by it.
///
/// Made after the image that is in force, whose tables it shares; the rest is written into the other of two banks, so
/// nothing changes that a packet may see before the map of endpoints is exchanged as a whole.
public struct KernelImage: Sendable {
  /// What makes one look-up table differ from another.
  struct TableKey: Hashable, Sendable {
    let backends: ObjectIdentifier
    let movement: ObjectIdentifier?
  }
  /// A look-up table and its place in the map of tables; what it was made of is kept alive with it.
  struct Table: Sendable {
    let place: UInt32
    let state: EndpointState
  }

  /// Endpoints and VIPs by address.
  public private(set) var endpoints: [(address: EndpointAddress, value: KernelEndpoint)] = []
  /// Of all endpoints, in the order in which `KernelEndpoint.firstTarget` counts.
  public private(set) var targets: [Target] = []
  /// Of all endpoints, in the order in which `KernelEndpoint.firstMovement` counts.
  public private(set) var movements: [MovementState] = []
  /// Where endpoints are found: numbers from `firstEndpoint` on, in the order of `endpoints`.
  public private(set) var index: [UInt32] = []
  /// The bank that holds `endpoints`, `targets` and `movements`.
  public let bank: UInt32
  /// Places of tables that the image before this one does not have.
  public private(set) var newTables: [UInt32] = []
  /// Places of tables that nobody uses once this image is in force.
  public private(set) var oldTables: [UInt32] = []
  /// The map it shows.
  public let map: VIPMap

  private(set) var tables: [TableKey: Table] = [:]
  private var states: [UInt32: EndpointState] = [:]
  /// While the first image after another agent's is made: what that left, by a digest.
  private var left: [Int: [(place: UInt32, slots: [KernelSlot])]] = [:]
  /// Places of what of it stays.
  private var kept: Set<UInt32> = []
  private var freePlaces: [UInt32]
  private var nextPlace: UInt32

  /// Makes the image of a map that comes after another, or after what another agent left.
  public init(
    _ map: VIPMap, after previous: KernelImage?, replacing remains: KernelRemains? = nil
  ) throws(KernelImageError) {
    guard map.slotCount <= KernelLayout.slots else { throw .tooManySlots(map.slotCount) }
    self.map = map
    bank = previous.map { 1 - $0.bank } ?? remains.map { 1 - $0.bank } ?? 0
    let occupied = remains?.tables.keys.sorted() ?? []
    oldTables = occupied
    nextPlace = previous?.nextPlace ?? occupied.last.map { $0 + 1 } ?? 0
    freePlaces =
      previous.map { $0.freePlaces + $0.oldTables }
      ?? (0..<nextPlace).filter { !occupied.contains($0) }
    for place in occupied {
      guard let slots = remains?.tables[place] else { continue }
      left[Self.digest(slots), default: []].append((place, slots))
    }
    endpoints.reserveCapacity(2 * map.states.count)
    for state in map.states { try add(state, after: previous) }
    for row in map.vipRows {
      endpoints.append((row.address, KernelEndpoint(vip: row.address, countedBy: row.target, bank: bank)))
    }
    let keys = endpoints.map(\.address.packed)
    guard keys.count < KernelLayout.endpoints,
      let index = KernelIndex.make(keys, first: firstEndpoint, seed: map.hash.seed)
    else { throw .tooManyEndpoints(keys.count) }
    self.index = index
    oldTables.removeAll { kept.contains($0) }
    for (key, table) in previous?.tables ?? [:] where tables[key] == nil { oldTables.append(table.place) }
    oldTables.sort()
    left = [:]
    kept = []
  }

  /// The number of the first endpoint in the kernel's array.
  public var firstEndpoint: UInt32 { bank * UInt32(KernelLayout.endpoints) + 1 }

  private mutating func add(_ state: EndpointState, after previous: KernelImage?) throws(KernelImageError) {
    var value = KernelEndpoint(state.configuration.address, bank: bank)
    value.number = state.number
    value.idleTimeout = state.configuration.idleTimeout
    value.slotCount = UInt32(state.table.slotCount)
    value.firstTarget = UInt32(targets.count)
    value.acceptingCount = UInt32(state.table.backends.count)
    value.targetCount = UInt32(state.targetCount)
    value.firstMovement = UInt32(movements.count)
    value.fields = state.configuration.affinity.rawValue
    value.isMoving = state.movement == nil ? 0 : 1
    targets += state.targetList
    guard targets.count <= KernelLayout.targets else { throw .tooManyTargets(targets.count) }
    if let movement = state.movement { movements += movement.stateList }
    guard movements.count <= KernelLayout.movements else { throw .tooManyMovements(movements.count) }
    if value.acceptingCount > 0 || state.movement != nil {
      value.table = try table(of: state, after: previous)
    }
    endpoints.append((state.configuration.address, value))
  }

  private mutating func table(
    of state: EndpointState, after previous: KernelImage?
  ) throws(KernelImageError) -> UInt32 {
    let key = TableKey(
      backends: ObjectIdentifier(state.table), movement: state.movement.map(ObjectIdentifier.init))
    if let known = tables[key] { return known.place }
    if let known = previous?.tables[key] {
      tables[key] = known
      return known.place
    }
    if let place = leftPlace(of: state) {
      tables[key] = Table(place: place, state: state)
      return place
    }
    let place: UInt32
    if let free = freePlaces.popLast() {
      place = free
    } else {
      guard nextPlace < KernelLayout.tables else { throw .tooManyTables }
      place = nextPlace
      nextPlace += 1
    }
    tables[key] = Table(place: place, state: state)
    states[place] = state
    newTables.append(place)
    return place
  }

  /// The place of a table that another agent left and that is the same as a new one would be.
  ///
  /// So a restart needs no more places than it had, and writes next to nothing.
  private mutating func leftPlace(of state: EndpointState) -> UInt32? {
    guard !left.isEmpty else { return nil }
    let slots = Self.slots(of: state)
    let digest = Self.digest(slots)
    let index = left[digest]?.firstIndex {
      $0.slots.elementsEqual(slots) { $0.place == $1.place && $0.movement == $1.movement }
    }
    // It is taken once: who shares it now may part later.
    guard let index, let same = left[digest]?.remove(at: index) else { return nil }
    kept.insert(same.place)
    return same.place
  }

  private static func digest(_ slots: [KernelSlot]) -> Int {
    var hasher = Hasher()
    unsafe slots.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
    return hasher.finalize()
  }

  /// The slots of a new table, as many as every table of the kernel has.
  public func slots(ofTable place: UInt32) -> [KernelSlot] { states[place].map(Self.slots) ?? [] }

  private static func slots(of state: EndpointState) -> [KernelSlot] {
    var slots = [KernelSlot](repeating: KernelSlot(place: 0, movement: 0), count: KernelLayout.slots)
    for slot in 0..<state.table.slotCount {
      let movement = unsafe state.movement?.places[slot] ?? 0
      slots[slot] = KernelSlot(place: UInt16(state.table.place(ofSlot: slot) ?? 0), movement: movement)
    }
    return slots
  }
}

/// Why a VIP map does not fit into the kernel's maps; user space serves it then.
public enum KernelImageError: Error, Hashable, Sendable {
  /// More slots than a table of the kernel has.
  case tooManySlots(Int)
  /// More endpoints and VIPs than a bank holds, or than can be told apart quickly.
  case tooManyEndpoints(Int)
  /// More backends of all endpoints than a bank holds.
  case tooManyTargets(Int)
  /// More histories of moving slots than a bank holds.
  case tooManyMovements(Int)
  /// More different look-up tables than the map of tables holds.
  case tooManyTables
}

extension VIPMap {
  /// Every pair of endpoint and backend whose packets are counted, in order of address.
  public var countedTargets: [(address: EndpointAddress, target: Target)] {
    states.flatMap { state in
      state.counted.sorted { $0.locator < $1.locator }.map { (state.configuration.address, $0) }
    }
  }

  /// Every VIP and the row that counts the packets to its SNAT ranges, in order.
  public var countedVIPs: [(vip: IPv4Address, target: Target)] { vipRows.map { ($0.vip, $0.target) } }
}
#endif
