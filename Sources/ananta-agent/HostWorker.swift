internal import Control
internal import Dataplane
internal import HostAgent
internal import KernelPath
internal import Platform
internal import Synchronization
internal import Wire

/// What the control side hands a host worker.
final class HostPlan: Sendable {
  let map: HostMap
  /// By the VM's index.
  let devices: [UInt32: MachineDevice]
  /// The worker's own on each uplink, at most `HostLoop.mostSockets`.
  let sockets: [UplinkSocket]
  let probes: [ProbeTarget]
  /// Carries flows of VMs behind a pair; nil where there are none.
  let kernel: HostKernel?
  /// What the kernel carries already, since an agent before this one.
  let carried: [CarriedFlow]
  /// Of the VMs of the map, by index.
  let locators: [UInt32: IPv4Address]
  /// What is to be done about leased ports before flows are taken over.
  let orders: PortOrders
  /// Whether it is made of the node's newest state, and not that of an earlier one for want of something better.
  let isOfNewestState: Bool
  /// Grows with each plan, so that the worker can say which one it runs.
  let generation: UInt64

  init(
    map: HostMap, locators: [UInt32: IPv4Address], devices: [UInt32: MachineDevice], sockets: [UplinkSocket],
    probes: [ProbeTarget], kernel: HostKernel?, carried: [CarriedFlow], orders: PortOrders,
    isOfNewestState: Bool = true, generation: UInt64
  ) {
    self.map = map
    self.locators = locators
    self.orders = orders
    self.isOfNewestState = isOfNewestState
    self.devices = devices
    self.sockets = sockets
    self.probes = probes
    self.kernel = kernel
    self.carried = carried
    self.generation = generation
  }
}

/// A part of the VMs, the packet sockets that take what is for them, and the device `anantaN` for all else:
/// one thread for both directions.
final class HostWorker: Sendable {
  /// Packets taken from one device before the others get their turn.
  static let batch = 64

  let mailbox: Mailbox<HostPlan>
  /// The generation of the plan in force.
  let adopted = Atomic<UInt64>(0)
  /// What is to be done about leased ports, without a new plan.
  let orders: Mailbox<PortOrders>
  /// How many orders have been carried out.
  let ordersDone = Atomic<UInt64>(0)
  /// Whether the kernel may still carry flows of ports that were taken away.
  let isEndingRanges = Atomic<Bool>(false)
  let counters: HostCounters
  /// Packets that a device or the kernel did not take.
  let refused = Atomic<UInt64>(0)
  /// Packets that the kernel could not hand over.
  let lost = Atomic<UInt64>(0)
  /// Indices of VMs whose device has gone away under the worker.
  let lostMachines: AsyncStream<UInt32>
  let lostMachinesOutlet: AsyncStream<UInt32>.Continuation
  let isStopping = Atomic<Bool>(false)
  let uplink: TUNQueue
  let device: String
  let health: HealthBoard
  let ports: PortBoard

  /// Takes the uplink's only queue and starts the thread, which runs until `stop`.
  init(
    uplink: consuming TUNQueue, index: Int, onCPU cpu: Int?, health: HealthBoard, ports: PortBoard
  ) throws(PlatformError) {
    mailbox = try Mailbox()
    orders = try Mailbox()
    (lostMachines, lostMachinesOutlet) = AsyncStream.makeStream()
    device = uplink.interfaceName
    self.uplink = uplink
    self.health = health
    self.ports = ports
    var numbers = SystemRandomNumberGenerator()
    let seed = numbers.next()
    let agent = HostAgent(seed: seed)
    counters = agent.counters
    let loop = try HostLoop(agent: agent, worker: self, seed: seed)
    _ = try WorkerThread.start(named: "host-\(index)", onCPU: cpu, state: loop) { $0.run() }
  }

  /// Which of so many workers has the VM with this locator; the filter of `PacketFilter.encapsulated` divides in the
  /// same way.
  static func number(of locator: IPv4Address, among workers: Int) -> Int {
    Int(locator.number % UInt32(workers))
  }

  /// Ends the thread after the batch in hand.
  func stop() {
    isStopping.store(true, ordering: .releasing)
    mailbox.wakeup.signal()
  }
}
