internal import Control
internal import Dataplane
internal import HostAgent
internal import Platform
internal import Synchronization
internal import Wire

/// What the control side hands a host worker.
final class HostPlan: Sendable {
  let map: HostMap
  /// By the VM's index.
  let devices: [UInt32: MachineDevice]
  let probes: [ProbeTarget]
  /// Grows with each plan, so that the worker can say which one it runs.
  let generation: UInt64

  init(map: HostMap, devices: [UInt32: MachineDevice], probes: [ProbeTarget], generation: UInt64) {
    self.map = map
    self.devices = devices
    self.probes = probes
    self.generation = generation
  }
}

/// One uplink device `anantaN` and the VMs whose locators lead into it: one thread for both directions.
final class HostWorker: Sendable {
  /// Packets taken from one device before the others get their turn.
  static let batch = 64

  let mailbox: Mailbox<HostPlan>
  /// The generation of the plan in force.
  let adopted = Atomic<UInt64>(0)
  let counters: HostCounters
  /// Packets that a device or the kernel did not take.
  let refused = Atomic<UInt64>(0)
  /// Indices of VMs whose device has gone away under the worker.
  let lost: AsyncStream<UInt32>
  let lostOutlet: AsyncStream<UInt32>.Continuation
  let isStopping = Atomic<Bool>(false)
  let uplink: TUNQueue
  let device: String
  let health: HealthBoard

  /// Takes the uplink's only queue and starts the thread, which runs until `stop`.
  init(
    uplink: consuming TUNQueue, index: Int, onCPU cpu: Int?, health: HealthBoard
  ) throws(PlatformError) {
    mailbox = try Mailbox()
    (lost, lostOutlet) = AsyncStream.makeStream()
    device = uplink.interfaceName
    self.uplink = uplink
    self.health = health
    let seed = MonotonicClock.nanoseconds &* 0x9e37_79b9_7f4a_7c15
    let agent = HostAgent(seed: seed)
    counters = agent.counters
    let loop = try HostLoop(agent: agent, worker: self, seed: seed)
    _ = try WorkerThread.start(named: "host-\(index)", onCPU: cpu, state: loop) { $0.run() }
  }

  /// Ends the thread after the batch in hand.
  func stop() {
    isStopping.store(true, ordering: .releasing)
    mailbox.wakeup.signal()
  }
}
