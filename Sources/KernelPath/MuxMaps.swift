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

  /// Opens the maps that are pinned, by the path of each name, and creates and pins those that are not; without paths
  /// they live as long as this process.
  init(pinnedAt path: PinPath?) throws(PlatformError) {
    // All are made before any is kept: a structure of owners is whole or not at all.
    let endpoints = try Self.open("endpoints", path)
    let endpointValues = try Self.open("endpoint_values", path)
    let tables = try Self.open("tables", path)
    let targets = try Self.open("targets", path)
    let movements = try Self.open("movements", path)
    let flows = try Self.open("flows", path)
    let flowCounts = try Self.open("flow_counts", path)
    let totals = try Self.open("totals", path)
    let rows = try Self.open("rows", path)
    let snatRanges = try Self.open("snat_ranges", path)
    let snatHops = try Self.open("snat_hops", path)
    let settings = try Self.open("settings", path)
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
  }

  private static func open(_ name: String, _ path: PinPath?) throws(PlatformError) -> BPFMap {
    try PinnedMaps.open(name, of: definitions, at: path)
  }

  /// For the loader: a descriptor for every name in the programs.
  var descriptors: [String: CInt] {
    [
      "endpoints": endpoints.descriptor.raw, "endpoint_values": endpointValues.descriptor.raw,
      "tables": tables.descriptor.raw, "targets": targets.descriptor.raw,
      "movements": movements.descriptor.raw, "flows": flows.descriptor.raw,
      "flow_counts": flowCounts.descriptor.raw, "totals": totals.descriptor.raw, "rows": rows.descriptor.raw,
      "snat_ranges": snatRanges.descriptor.raw, "snat_hops": snatHops.descriptor.raw,
      "settings": settings.descriptor.raw,
    ]
  }
}
