internal import Control
internal import Dataplane
internal import KernelPath
internal import Platform
internal import Synchronization
internal import Wire

/// The host's way through the kernel: its programs on the uplinks and on the node's ends of VMs' pairs.
///
/// Programs and flows outlive the agent: known flows are carried while it is replaced, and the next one takes
/// them over.
final class HostForwarding: Sendable {
  /// Behind the MUX's filter, which lets pass what is not to a VIP.
  static let priority: UInt32 = 2
  /// Of our filters.
  static let handle: UInt32 = 0xa17b

  let kernel: HostKernel
  private let files: BPFFilesystem
  private let programs: (uplink: UInt32, device: UInt32)
  private let memory = Mutex(Memory())

  /// What is known of the kernel's tables.
  private struct Memory {
    /// Whether the flows of an agent before this one have been taken over.
    var isTakenOver = false
    /// Whose packets are counted at each VM's index.
    var counted: [UInt32: IPv4Address] = [:]
  }

  /// Loads the programs, which see no packet before they are attached.
  ///
  /// An error is one sentence on what the kernel lacks or refuses.
  init(dataDirectory: String) throws(PlatformError) {
    let mountPoint = dataDirectory + "/" + KernelForwarding.directory
    let files = try BPFFilesystem.open(mountPoint + "/host", mountingAt: mountPoint)
    var paths: [String: String] = [:]
    for name in HostKernel.mapNames { paths[name] = try files.path(name) }
    let kernel = try HostKernel(pinnedAt: { name in paths[name] ?? name })
    programs = (try kernel.uplink.info().id, try kernel.device.info().id)
    self.kernel = kernel
    self.files = files
  }

  /// What an operator should know of at the start; nil when all is well.
  var warning: String? { files.warning }

  /// Puts the program for packets from MUXes on an uplink, unless it is there.
  func attach(toUplink index: Int32) throws(PlatformError) {
    try attach(kernel.uplink, id: programs.uplink, to: index)
  }

  /// Puts the program for packets of a VM on the node's end of its pair, unless it is there.
  func attach(toMachine index: Int32) throws(PlatformError) {
    try attach(kernel.device, id: programs.device, to: index)
  }

  /// Flows that an agent before this one has left and that are still right; nil when they are taken over already, or
  /// cannot be read.
  func carried(_ kept: KeptState, _ entries: [MachineDirectory.Entry]) -> [CarriedFlow]? {
    guard !memory.withLock({ $0.isTakenOver }) else { return nil }
    let judge = Judge(kept, entries)
    guard let carried = try? kernel.keep({ flow, device in judge.isWanted(flow, device) }) else { return nil }
    return carried.compactMap { carried in
      guard let device = judge.device(of: carried.flow) else { return nil }
      // Half a flow is none.
      guard let lastSeen = kernel.lastSeen(carried.flow, device: device) else {
        kernel.remove(carried.flow, device: device)
        return nil
      }
      return CarriedFlow(flow: carried.flow, lastSeen: lastSeen)
    }
  }

  /// The workers know the carried flows.
  ///
  /// Not to be said before: a flow that nobody knows would live on when its ports are somebody else's.
  func tookOver() { memory.withLock { $0.isTakenOver = true } }

  /// Brings the kernel to a state that the workers run already: its MUXes, and no flow that it does not name;
  /// what could not be done.
  func follow(_ kept: KeptState, _ entries: [MachineDirectory.Entry]) -> [String] {
    let judge = Judge(kept, entries)
    do throws(PlatformError) {
      try kernel.adopt(muxes: kept.state.muxes)
      try kernel.keep { flow, device in judge.isWanted(flow, device) }
      for entry in entries {
        let locator = entry.machine.locator
        let before = memory.withLock { $0.counted.updateValue(locator, forKey: entry.index) }
        if before != locator { try kernel.clear(machine: entry.index) }
      }
      return []
    } catch {
      return [error.description]
    }
  }

  /// What flows may be carried: those to what a VM serves, and those from ports that are leased to it.
  private struct Judge {
    private let entries: [UInt32: MachineDirectory.Entry]
    private let kept: KeptState

    init(_ kept: KeptState, _ entries: [MachineDirectory.Entry]) {
      self.kept = kept
      self.entries = Dictionary(uniqueKeysWithValues: entries.map { ($0.index, $0) })
    }

    func device(of flow: KnownFlow) -> Int32? { entries[flow.machine]?.device?.nodeEnd }

    func isWanted(_ flow: KnownFlow, _ device: Int32) -> Bool {
      guard let entry = entries[flow.machine], self.device(of: flow) == device,
        entry.machine.locator == flow.locator, entry.machine.dip == flow.dip
      else { return false }
      return isServed(flow) || isLeased(flow)
    }

    private func isServed(_ flow: KnownFlow) -> Bool {
      guard let transport = TransportProtocol(rawValue: flow.proto.rawValue) else { return false }
      let key = EndpointKey(vip: flow.vip, transport: transport, port: flow.vipPort)
      return kept.state.hostEndpoints[flow.locator]?[key]?.backendPort == flow.backendPort
    }

    private func isLeased(_ flow: KnownFlow) -> Bool {
      guard let range = PortRange(vip: flow.vip, holding: flow.vipPort),
        kept.state.leases[flow.locator]?[range] != nil
      else { return false }
      return !kept.returned.contains(PortLease(range, to: flow.locator))
    }
  }

  private func attach(_ program: borrowing BPFProgram, id: UInt32, to index: Int32) throws(PlatformError) {
    _ = try TCFilter.createHook(device: index)
    let filter = TCFilter(device: index, .ingress, priority: Self.priority, handle: Self.handle)
    if try filter.programID() != id { try filter.attach(program) }
  }
}
