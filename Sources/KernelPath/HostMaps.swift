internal import Dataplane
internal import Platform
internal import Wire

/// The maps of the host's programs.
struct HostMaps: ~Copyable, Sendable {
  static let definitions: [BPFMapDefinition] = [
    BPFMapDefinition("host_muxes", .hash, keySize: 4, valueSize: 4, maxEntries: HostKernelLayout.muxes),
    // Memory is taken when a flow comes, since few hosts have as many.
    BPFMapDefinition(
      "host_inbound", .hash, keySize: MemoryLayout<InboundFlowKey>.size,
      valueSize: MemoryLayout<InboundFlow>.size, maxEntries: HostKernelLayout.flows, flags: .noPreallocation),
    BPFMapDefinition(
      "host_outbound", .hash, keySize: MemoryLayout<OutboundFlowKey>.size,
      valueSize: MemoryLayout<OutboundFlow>.size, maxEntries: HostKernelLayout.flows, flags: .noPreallocation),
    BPFMapDefinition(
      "host_machines", .perCPUArray, keySize: 4, valueSize: MemoryLayout<MachineCount>.size,
      maxEntries: HostKernelLayout.machines),
  ]

  let muxes: BPFMap
  let inbound: BPFMap
  let outbound: BPFMap
  let machines: BPFMap

  /// Opens the maps that are pinned, by the path of each name, and creates and pins those that are not; without paths
  /// they live as long as this process.
  init(pinnedAt path: PinPath?) throws(PlatformError) {
    // All are made before any is kept: a structure of owners is whole or not at all.
    let muxes = try Self.open("host_muxes", path)
    let inbound = try Self.open("host_inbound", path)
    let outbound = try Self.open("host_outbound", path)
    let machines = try Self.open("host_machines", path)
    self.muxes = muxes
    self.inbound = inbound
    self.outbound = outbound
    self.machines = machines
  }

  private static func open(_ name: String, _ path: PinPath?) throws(PlatformError) -> BPFMap {
    do throws(PlatformError) {
      return try PinnedMaps.open(name, of: definitions, at: path)
    } catch {
      // Another version's: its flows go on in user space, which makes their records anew.
      guard error.reason == .invalid, let path else { throw error }
      return try PinnedMaps.replace(name, of: definitions, at: path)
    }
  }

  /// For the loader: a descriptor for every name in the programs.
  var descriptors: [String: CInt] {
    [
      "host_muxes": muxes.descriptor.raw, "host_inbound": inbound.descriptor.raw,
      "host_outbound": outbound.descriptor.raw, "host_machines": machines.descriptor.raw,
    ]
  }
}
