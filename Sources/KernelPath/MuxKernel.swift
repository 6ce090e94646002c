public import Dataplane
public import Platform

/// The MUX inside the kernel: its programs, its maps, and who writes them.
///
/// One thread at a time installs, sweeps and attaches; counters may be read by any.
public final class MuxKernel: Sendable {
  /// A program, by where it is attached.
  public enum Hook: String, CaseIterable, Sendable {
    /// At the driver: fastest, packet by packet.
    case xdp
    /// Behind the driver, where super-packets are whole.
    case tc
  }

  /// The names under which maps are pinned.
  public static var mapNames: [String] { MuxMaps.definitions.map(\.name) }

  let maps: MuxMaps
  let flowCounts: BPFMapMemory
  /// Leases of SNAT ranges, in memory that programs read: what is changed here is changed for packets.
  ///
  /// Those of pinned maps go on. The table may outlive this object.
  public let ranges: SNATRanges
  /// At the driver.
  public let xdp: BPFProgram
  /// Behind the driver.
  public let tc: BPFProgram

  /// Loads the programs; maps that are pinned at the paths of their names are taken over, the others are pinned.
  ///
  /// `settings` are in force at once. An error names what the kernel refused: no privilege, a map, or the verifier's
  /// last words about a program.
  public init(_ settings: KernelSettings, pinnedAt path: PinPath? = nil) throws(PlatformError) {
    let object = try KernelPrograms.object()
    let maps = try MuxMaps(pinnedAt: path)
    try maps.settings.update(UInt32(0), to: settings)
    flowCounts = try maps.flowCounts.memory()
    ranges = try SharedRanges(maps.snatRanges).table()
    xdp = try BPFProgram.load(try object.program(named: "ananta_mux_xdp"), .xdp, maps: maps.descriptors)
    tc = try BPFProgram.load(try object.program(named: "ananta_mux_tc"), .classifier, maps: maps.descriptors)
    self.maps = maps
  }

  /// Lets XDP take the frames that are addressed to a device; it leaves all others to the stack.
  ///
  /// To be called again when the device's MAC address may have changed; until then the stack has its packets. Of
  /// devices whose indices are equal modulo `KernelLayout.devices` the last one counts.
  public func admit(_ device: KernelDevice) throws(PlatformError) {
    let place = device.ifindex % UInt32(KernelLayout.devices)
    let present: KernelDevice? = try maps.devices.value(of: place)
    guard present != device else { return }
    try maps.devices.update(place, to: device)
  }

  /// Puts an image in force, which must have been made after the one before it.
  ///
  /// First what no packet can see yet is written; then one pointer changes, and when the call that changes it
  /// returns, no packet is under way that still goes by the old image.
  public func install(_ image: KernelImage) throws(PlatformError) {
    // In portions, since each table has a descriptor until it is in its place.
    for start in stride(from: 0, to: image.newTables.count, by: Self.portion) {
      try insert(image.newTables[start..<min(start + Self.portion, image.newTables.count)], of: image)
    }
    try write(image.targets, maps.targets, from: Int(image.bank) * KernelLayout.targets)
    try write(image.movements, maps.movements, from: Int(image.bank) * KernelLayout.movements)
    try write(image.endpoints.map(\.value), maps.endpointValues, from: Int(image.firstEndpoint))
    let index = try BPFMap.create(MuxMaps.index)
    try index.update(UInt32(0), toElements: image.index.span)
    try maps.endpoints.insert(index, at: UInt32(0))
    try vacate(image.oldTables)
  }

  /// Lets tables go that nobody uses any more: an empty one takes all their places.
  ///
  /// The kernel waits for its readers after every removal, but only once for many changes.
  private func vacate(_ places: [UInt32]) throws(PlatformError) {
    guard !places.isEmpty else { return }
    let empty = try BPFMap.create(MuxMaps.slots)
    let descriptors = [CInt](repeating: empty.descriptor.raw, count: places.count)
    try maps.tables.update(places.span, to: descriptors.span)
  }

  /// Tables that are put into their places by one call, which waits for the kernel's readers.
  private static let portion = 256

  private func insert(_ newTables: ArraySlice<UInt32>, of image: KernelImage) throws(PlatformError) {
    var places: [UInt32] = []
    var descriptors: [CInt] = []
    var filled: [FilledTable] = []
    for place in newTables {
      let table = try FilledTable(image.slots(ofTable: place))
      places.append(place)
      descriptors.append(table.map.descriptor.raw)
      filled.append(table)
    }
    try maps.tables.update(places.span, to: descriptors.span)
    filled.removeAll()
  }

  private func write<Value: BitwiseCopyable>(
    _ values: [Value], _ map: borrowing BPFMap, from first: Int
  ) throws(PlatformError) {
    guard !values.isEmpty else { return }
    let indices = values.indices.map { UInt32(first + $0) }
    try map.update(indices.span, to: values.span)
  }
}

/// A look-up table that nobody sees yet.
private final class FilledTable {
  let map: BPFMap

  init(_ slots: [KernelSlot]) throws(PlatformError) {
    let map = try BPFMap.create(MuxMaps.slots)
    try map.update(UInt32(0), toElements: KernelSlot.table(slots).span)
    self.map = map
  }
}
