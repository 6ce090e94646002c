internal import Dataplane
internal import Platform
internal import Wire

/// The maps of the MUX's programs.
///
/// ```
///  endpoints [1] ──► index ──► values ──┬─ table ──► tables [n] ──► slots
///                                       ├─ bank, firstTarget ──► targets, those of one bank after the other's
///                                       └─ bank, firstMovement ──► movements, likewise
/// ```
struct MuxMaps: ~Copyable, Sendable {
  /// Inner maps of the map of tables: one value, which is a whole table.
  static let slots = BPFMapDefinition(
    "slots", .array, keySize: 4, valueSize: KernelLayout.slots * MemoryLayout<KernelSlot>.size, maxEntries: 1)

  /// Inner maps of the map of endpoints: one value, which is a whole `KernelIndex`.
  static let index = BPFMapDefinition(
    "endpoint_index", .array, keySize: 4, valueSize: KernelIndex.places * MemoryLayout<UInt32>.size,
    maxEntries: 1)

  static let definitions: [BPFMapDefinition] = [
    BPFMapDefinition(
      "endpoints", .arrayOfMaps, keySize: 4, valueSize: 4, maxEntries: 1, inner: index.shape),
    BPFMapDefinition(
      "endpoint_values", .array, keySize: 4, valueSize: MemoryLayout<KernelEndpoint>.size,
      maxEntries: 2 * KernelLayout.endpoints),
    BPFMapDefinition(
      "tables", .arrayOfMaps, keySize: 4, valueSize: 4, maxEntries: KernelLayout.tables, inner: slots.shape),
    BPFMapDefinition(
      "targets", .array, keySize: 4, valueSize: MemoryLayout<Target>.size,
      maxEntries: 2 * KernelLayout.targets),
    BPFMapDefinition(
      "movements", .array, keySize: 4, valueSize: MemoryLayout<MovementState>.size,
      maxEntries: 2 * KernelLayout.movements),
    BPFMapDefinition(
      "flows", .hash, keySize: MemoryLayout<KernelFlowKey>.size, valueSize: MemoryLayout<FlowRecord>.size,
      maxEntries: KernelLayout.flows),
    BPFMapDefinition(
      "flow_counts", .array, keySize: 4, valueSize: 4, maxEntries: KernelLayout.flowCounts, flags: .mappable),
    BPFMapDefinition("totals", .perCPUArray, keySize: 4, valueSize: 8, maxEntries: KernelLayout.totals),
    BPFMapDefinition(
      "rows", .perCPUArray, keySize: 4, valueSize: MemoryLayout<KernelRow>.size,
      maxEntries: Limits.counterRows),
    BPFMapDefinition(
      "snat_ranges", .array, keySize: 4, valueSize: 8 * SNATKey.ways, maxEntries: SNATKey.buckets,
      flags: .mappable),
    BPFMapDefinition(
      "snat_hops", .perCPUArray, keySize: 4, valueSize: MemoryLayout<KernelNextHop>.size,
      maxEntries: KernelLayout.snatHops),
    BPFMapDefinition(
      "settings", .array, keySize: 4, valueSize: MemoryLayout<KernelSettings>.size, maxEntries: 1),
    BPFMapDefinition(
      "devices", .array, keySize: 4, valueSize: MemoryLayout<KernelDevice>.size,
      maxEntries: KernelLayout.devices),
    // Not for programs.
    BPFMapDefinition(
      "layout", .array, keySize: 4, valueSize: MemoryLayout<KernelVersion>.size, maxEntries: 1),
  ]

  let endpoints: BPFMap
  let endpointValues: BPFMap
  let tables: BPFMap
  let targets: BPFMap
  let movements: BPFMap
  let flows: BPFMap
  let flowCounts: BPFMap
  let totals: BPFMap
  let rows: BPFMap
  let snatRanges: BPFMap
  let snatHops: BPFMap
  let settings: BPFMap
  let devices: BPFMap
  private let layout: BPFMap

  /// What was pinned by an agent before.
  let inheritance: KernelInheritance

  /// Opens the maps that are pinned, by the path of each name, and creates and pins those that are not; without paths
  /// they live as long as this process.
  ///
  /// Maps of another version stay with the programs that use them, and lose their names to new ones; of them,
  /// records and leases are gone on with when their own versions are the same.
  init(pinnedAt path: PinPath?) throws(PlatformError) {
    let (inheritance, keepsLeases) = try Self.inheritance(path)
    func open(_ name: String, _ path: PinPath?) throws(PlatformError) -> BPFMap {
      let isKept =
        inheritance == .all || inheritance == .records && name == "flows"
        || keepsLeases && name == "snat_ranges"
      guard !isKept, let path else { return try PinnedMaps.open(name, of: Self.definitions, at: path) }
      return try PinnedMaps.replace(name, of: Self.definitions, at: path)
    }
    // Until all is adopted, nothing of it may be taken for ours: the next agent would have to begin again.
    let layout = try open("layout", path)
    var version = KernelVersion.current
    if inheritance != .all {
      version.tables = 0
      if inheritance != .records { version.records = 0 }
      if !keepsLeases { version.leases = 0 }
    }
    try layout.update(UInt32(0), to: version)
    // All are made before any is kept: a structure of owners is whole or not at all.
    let endpoints = try open("endpoints", path)
    let endpointValues = try open("endpoint_values", path)
    let tables = try open("tables", path)
    let targets = try open("targets", path)
    let movements = try open("movements", path)
    let flows = try open("flows", path)
    let flowCounts = try open("flow_counts", path)
    let totals = try open("totals", path)
    let rows = try open("rows", path)
    let snatRanges = try open("snat_ranges", path)
    let snatHops = try open("snat_hops", path)
    let settings = try open("settings", path)
    let devices = try open("devices", path)
    self.endpoints = endpoints
    self.endpointValues = endpointValues
    self.tables = tables
    self.targets = targets
    self.movements = movements
    self.flows = flows
    self.flowCounts = flowCounts
    self.totals = totals
    self.rows = rows
    self.snatRanges = snatRanges
    self.snatHops = snatHops
    self.settings = settings
    self.devices = devices
    self.layout = layout
    self.inheritance = inheritance
  }

  /// Says that all that is pinned is this version's.
  func declareCurrent() throws(PlatformError) { try layout.update(UInt32(0), to: KernelVersion.current) }

  /// Whether what is pinned is this version's, and whether its leases are.
  private static func inheritance(
    _ path: PinPath?
  ) throws(PlatformError) -> (KernelInheritance, keepsLeases: Bool) {
    guard let path else { return (.all, true) }
    guard try fits("layout", path) else { return (.nothing, false) }
    var version = KernelVersion.unwritten
    switch try PinnedMaps.find("layout", of: definitions, at: path) {
    case .some(let layout): version = try layout.value(of: UInt32(0)) ?? version
    case .none: if try isVacant(path) { return (.all, true) }
    }
    let current = KernelVersion.current
    let keepsLeases = version.leases == current.leases ? try fits("snat_ranges", path) : false
    guard version.records == current.records, try fits("flows", path) else { return (.nothing, keepsLeases) }
    guard version.tables == current.tables, keepsLeases else { return (.records, keepsLeases) }
    for definition in definitions where try !fits(definition.name, path) { return (.records, keepsLeases) }
    return (.all, true)
  }

  /// Whether no agent has been here.
  private static func isVacant(_ path: PinPath) throws(PlatformError) -> Bool {
    guard try fits("endpoints", path) else { return false }
    switch try PinnedMaps.find("endpoints", of: definitions, at: path) {
    case .some: return false
    case .none: return true
    }
  }

  /// Whether a map is not pinned yet, or has the shape of ours.
  private static func fits(_ name: String, _ path: PinPath) throws(PlatformError) -> Bool {
    do throws(PlatformError) {
      _ = try PinnedMaps.find(name, of: definitions, at: path)
      return true
    } catch {
      guard error.reason == .invalid else { throw error }
      return false
    }
  }

  /// For the loader: a descriptor for every name in the programs.
  var descriptors: [String: CInt] {
    [
      "endpoints": endpoints.descriptor.raw, "endpoint_values": endpointValues.descriptor.raw,
      "tables": tables.descriptor.raw, "targets": targets.descriptor.raw,
      "movements": movements.descriptor.raw, "flows": flows.descriptor.raw,
      "flow_counts": flowCounts.descriptor.raw, "totals": totals.descriptor.raw, "rows": rows.descriptor.raw,
      "snat_ranges": snatRanges.descriptor.raw, "snat_hops": snatHops.descriptor.raw,
      "settings": settings.descriptor.raw, "devices": devices.descriptor.raw,
    ]
  }
}
