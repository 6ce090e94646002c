public import Dataplane
public import Platform
public import Wire

/// A flow that the kernel carries.
public struct CarriedFlow: Hashable, Sendable {
  /// Which.
  public let flow: KnownFlow
  /// When its last packet to the VM went by, in milliseconds.
  public let lastSeen: UInt32

  /// Joins the two.
  public init(flow: KnownFlow, lastSeen: UInt32) {
    self.flow = flow
    self.lastSeen = lastSeen
  }
}

/// The host inside the kernel: two programs, the flows they carry, and who writes them.
///
/// Each VM's flows are written by one thread, the VM's worker; `adopt` and `keep` are the control thread's.
public final class HostKernel: Sendable {
  /// The names under which maps are pinned.
  public static var mapNames: [String] { HostMaps.definitions.map(\.name) }

  let maps: HostMaps
  /// For uplinks, at ingress.
  public let uplink: BPFProgram
  /// For the node's ends of VMs' devices, at ingress.
  public let device: BPFProgram

  /// Loads the programs; maps that are pinned at the paths of their names are taken over, the others are pinned.
  ///
  /// An error names what the kernel refused: no privilege, a map, or the verifier's last words about a program.
  public init(pinnedAt path: PinPath? = nil) throws(PlatformError) {
    let object = try KernelPrograms.object()
    let maps = try HostMaps(pinnedAt: path)
    uplink = try BPFProgram.load(
      try object.program(named: "ananta_host_uplink"), .classifier, maps: maps.descriptors)
    device = try BPFProgram.load(
      try object.program(named: "ananta_host_veth"), .classifier, maps: maps.descriptors)
    self.maps = maps
  }

  /// Believes these MUXes and no others.
  public func adopt(muxes: [IPv4Address]) throws(PlatformError) {
    var stale: Set<UInt32> = []
    try maps.muxes.forEach { (address: UInt32, _: UInt32) in stale.insert(address) }
    for mux in muxes {
      if stale.remove(mux.raw) == nil { try maps.muxes.update(mux.raw, to: UInt32(1)) }
    }
    for address in stale { try maps.muxes.remove(address) }
  }

  /// Carries a flow from now on; false: there is no room, and it stays in user space.
  ///
  /// The way out comes first, so that the VM's answer to the first packet that is carried is carried, too.
  public func insert(_ flow: KnownFlow, device: Int32, now: UInt32) -> Bool {
    let device = UInt32(bitPattern: device)
    do throws(PlatformError) {
      try maps.outbound.update(flow.outboundKey(device: device), to: OutboundFlow(flow, lastSeen: now))
      try maps.inbound.update(flow.inboundKey, to: InboundFlow(flow, device: device, lastSeen: now))
      return true
    } catch {
      remove(flow, device: Int32(bitPattern: device))
      return false
    }
  }

  /// Carries a flow no more; harmless when it is not there.
  public func remove(_ flow: KnownFlow, device: Int32) {
    _ = try? maps.inbound.remove(flow.inboundKey)
    _ = try? maps.outbound.remove(flow.outboundKey(device: UInt32(bitPattern: device)))
  }

  /// When a packet of the flow last went by, in either direction, in milliseconds; nil when it is not carried.
  public func lastSeen(_ flow: KnownFlow, device: Int32) -> UInt32? {
    let key = flow.outboundKey(device: UInt32(bitPattern: device))
    guard let inbound = try? maps.inbound.value(of: flow.inboundKey, as: InboundFlow.self),
      inbound.device == key.device, let outbound = try? maps.outbound.value(of: key, as: OutboundFlow.self)
    else { return nil }
    let isLater = Int32(bitPattern: outbound.lastSeen &- inbound.lastSeen) > 0
    return isLater ? outbound.lastSeen : inbound.lastSeen
  }

  /// Forgets all flows but those that `isWanted` says are to be carried, to the device it names.
  ///
  /// - Returns: those that are carried on, with the time of their last packet.
  @discardableResult public func keep(
    _ isWanted: (KnownFlow, _ device: Int32) -> Bool
  ) throws(PlatformError) -> [CarriedFlow] {
    var unanswered: Set<OutboundFlowKey> = []
    // Those that a worker adds from now on are in no danger: their way out comes before their way in.
    try maps.outbound.forEach { (key: OutboundFlowKey, _: OutboundFlow) in unanswered.insert(key) }
    var kept: [CarriedFlow] = []
    var refused: [InboundFlowKey] = []
    try maps.inbound.forEach { (key: InboundFlowKey, value: InboundFlow) in
      let flow = KnownFlow(key, value)
      guard isWanted(flow, Int32(bitPattern: value.device)) else { return refused.append(key) }
      kept.append(CarriedFlow(flow: flow, lastSeen: value.lastSeen))
      unanswered.remove(flow.outboundKey(device: value.device))
    }
    for key in refused { try maps.inbound.remove(key) }
    for key in unanswered { try maps.outbound.remove(key) }
    return kept
  }

  /// What the programs have counted of a VM, all CPUs together.
  public func count(machine: UInt32) throws(PlatformError) -> MachineCount {
    var counts = [MachineCount](repeating: MachineCount(), count: BPFMap.possibleCPUs)
    var span = counts.mutableSpan
    guard try maps.machines.values(of: machine, into: &span) else { return MachineCount() }
    return counts.reduce(into: MachineCount()) { sum, count in
      sum.packetsIn += count.packetsIn
      sum.bytesIn += count.bytesIn
      sum.packetsOut += count.packetsOut
      sum.bytesOut += count.bytesOut
    }
  }

  /// Begins to count anew, for another VM with the index.
  public func clear(machine: UInt32) throws(PlatformError) {
    let zero = [MachineCount](repeating: MachineCount(), count: BPFMap.possibleCPUs)
    try maps.machines.update(machine, toPerCPU: zero.span)
  }
}
