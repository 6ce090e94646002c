internal import Control
internal import Dataplane
internal import HostAgent
internal import KernelPath
internal import Platform
internal import Synchronization
internal import Wire

/// What a host worker's thread owns, and what it does with it.
struct HostLoop: ~Copyable {
  private enum Tag {
    static let uplink: UInt64 = 0
    static let wakeup: UInt64 = 1
    static let orders: UInt64 = 2
    /// Sockets from here on; no VM has a number this big.
    static let firstSocket: UInt64 = 1 << 32
    static let firstMachine: UInt64 = 3
  }
  /// A range that a VM has had.
  private struct Given: Hashable {
    var machine: UInt32
    var range: SNATRange
  }
  /// How often the probes' clock is wound.
  private static let tickMilliseconds: UInt64 = 20
  /// Packets to the prober that a VM may send per batch; a probe's answer is a handful.
  private static let answersPerBatch = 16
  /// Flow records looked at per batch for expiry.
  private static let sweepBudget = 256
  /// Uplinks of one host: more than the ports of any network card.
  static let mostSockets = 16

  private var agent: HostAgent
  private var monitor: HealthMonitor
  private var buffer: PacketBuffer
  private var epoll: Epoll
  private var plan: HostPlan?
  /// By the VM's index; a place without a device refuses every write.
  private var machines = InlineArray<1024, PacketPort>(repeating: PacketPort.none)
  /// In the order of the plan.
  private var sockets = InlineArray<16, PacketSocket.Handle>(repeating: .none)
  private var lastTick: UInt64 = 0
  /// The number of the next order about ports.
  private var nextOrder: UInt64 = 0
  /// Ranges that were given back and not ended yet: nobody may use them here, whatever else is said meanwhile.
  private var returned: Set<Given> = []
  private let worker: HostWorker

  init(agent: consuming HostAgent, worker: HostWorker, seed: UInt64) throws(PlatformError) {
    let epoll = try Epoll()
    try epoll.add(worker.uplink.descriptor, tag: Tag.uplink)
    try epoll.add(worker.mailbox.wakeup.descriptor, tag: Tag.wakeup)
    try epoll.add(worker.orders.wakeup.descriptor, tag: Tag.orders)
    buffer = try PacketBuffer()
    self.epoll = epoll
    self.agent = agent
    self.worker = worker
    monitor = HealthMonitor(seed: seed)
  }

  /// Waits for packets, plans and time, until told to stop.
  mutating func run() {
    while !worker.isStopping.load(ordering: .acquiring) {
      guard let ready = try? epoll.wait(timeoutMilliseconds: CInt(Self.tickMilliseconds)) else {
        UplinkDevice.isGone(worker.device)
      }
      // Taken before the plan and carried out after it: whoever gave orders has posted first what they are about.
      let orders = worker.orders.take()
      if let plan = worker.mailbox.take() { adopt(plan) }
      let milliseconds = MonotonicClock.milliseconds
      let now = UInt32(truncatingIfNeeded: milliseconds)
      carryOut(orders, now)
      for index in 0..<ready {
        switch epoll[index].tag {
        case Tag.uplink: drainUplink(now)
        case Tag.wakeup: worker.mailbox.wakeup.drain()
        case Tag.orders: worker.orders.wakeup.drain()
        case Tag.firstSocket...: drainSocket(Int(truncatingIfNeeded: epoll[index].tag & 15), now)
        case let tag: drainMachine(UInt32(truncatingIfNeeded: tag - Tag.firstMachine), now, milliseconds)
        }
      }
      agent.sweep(now: now, budget: Self.sweepBudget)
      tellKernel(now)
      tellManager()
      worker.refused.store(buffer.refused, ordering: .relaxed)
      worker.lost.store(buffer.lost, ordering: .relaxed)
      if milliseconds - lastTick >= Self.tickMilliseconds {
        lastTick = milliseconds
        carryOut(monitor.handle(.tick, now: milliseconds))
      }
    }
  }

  /// Underlay → VMs, super-packets whole.
  private mutating func drainSocket(_ place: Int, _ now: UInt32) {
    let socket = sockets[place & 15]
    var offload = Offload()
    for _ in 0..<HostWorker.batch {
      switch buffer.receive(from: socket, &offload) {
      case .lost: continue
      case .empty, .closed: return flush()
      case .packet(let byteCount):
        let verdict = Self.inbound(&agent, &buffer, byteCount, &offload, now)
        guard case .deliver(let machine, let offset, let length) = verdict else { continue }
        deliver(machine, offset: offset, byteCount: length, offload)
      }
    }
    flush()
  }

  /// Underlay → VMs, by way of the stack: from where no socket is, such as a MUX on this node.
  private mutating func drainUplink(_ now: UInt32) {
    let uplink = worker.uplink.handle
    var offload = Offload()
    for _ in 0..<HostWorker.batch {
      let received = buffer.receive(from: uplink, &offload)
      if case .closed = received { UplinkDevice.isGone(worker.device) }
      guard case .packet(let byteCount) = received else { break }
      let verdict = Self.inbound(&agent, &buffer, byteCount, &offload, now)
      guard case .deliver(let machine, let offset, let length) = verdict else { continue }
      deliver(machine, offset: offset, byteCount: length, offload)
    }
    flush()
  }

  /// Lets bulk data gather into super-packets, as a network card would do it.
  ///
  /// A VM's kernel takes 64 KB as fast as one packet. What does not continue the one before it is written
  /// behind it, so order stays.
  private mutating func deliver(_ machine: UInt32, offset: Int, byteCount: Int, _ offload: Offload) {
    var answer = buffer.join(offset: offset, byteCount: byteCount, offload, machine: machine)
    if case .joined = answer { return }
    flush()
    if case .conflict = answer {
      answer = buffer.join(offset: offset, byteCount: byteCount, offload, machine: machine)
      if case .joined = answer { return }
    }
    buffer.deliver(offset: offset, byteCount: byteCount, offload, to: machines[Int(machine & 1023)])
  }

  /// Writes what has gathered; nothing waits longer than its batch.
  private mutating func flush() {
    guard let joined = buffer.takeJoined() else { return }
    buffer.transmit(joined, to: machines[Int(joined.machine & 1023)])
  }

  /// A VM → underlay, or the VM's answer to a probe.
  private mutating func drainMachine(_ machine: UInt32, _ now: UInt32, _ milliseconds: UInt64) {
    // An event from before the last plan may be that of a VM which is no longer there.
    guard plan?.devices[machine] != nil else { return }
    let uplink = worker.uplink.handle
    let device = machines[Int(machine & 1023)]
    var offload = Offload()
    var answers = 0
    for _ in 0..<HostWorker.batch {
      switch buffer.receive(from: device, &offload) {
      case .empty, .lost: return
      case .closed: return lose(machine)
      case .packet(let byteCount):
        switch Self.outbound(&agent, &buffer, byteCount, from: machine, &offload, now) {
        case .transmit(let offset, let length):
          buffer.transmit(offset: offset, byteCount: length, offload, to: .tun(uplink))
        case .pass:
          // A VM that floods the prober takes no time from its neighbours.
          answers += 1
          guard answers <= Self.answersPerBatch else { continue }
          carryOut(monitor.handle(.packet(buffer.copy(byteCount), from: machine), now: milliseconds))
        case .hold(let slot): buffer.hold(byteCount, offload, in: slot)
        case .drop, .deliver: break
        }
      }
    }
  }

  /// Lends known flows to the kernel and takes back those that have ended; what was read before has been
  /// written by now, so that nothing overtakes it.
  private mutating func tellKernel(_ now: UInt32) {
    while let change = agent.takeChange() {
      guard let kernel = plan?.kernel, let device = plan?.devices[change.flow.machine]?.nodeEnd else {
        continue
      }
      switch change.kind {
      case .known: _ = kernel.insert(change.flow, device: device, now: now)
      case .ended: kernel.remove(change.flow, device: device)
      case .silent:
        let lastSeen = kernel.lastSeen(change.flow, device: device)
        if !agent.settle(change.flow, lastSeen: lastSeen, now: now) {
          kernel.remove(change.flow, device: device)
        }
      }
    }
  }

  /// Takes over what the kernel has carried while there was no agent.
  private mutating func restore(_ plan: HostPlan) {
    let now = UInt32(truncatingIfNeeded: MonotonicClock.milliseconds)
    for carried in plan.carried {
      guard !agent.restore(carried.flow, lastSeen: carried.lastSeen, now: now),
        let device = plan.devices[carried.flow.machine]?.nodeEnd
      else { continue }
      plan.kernel?.remove(carried.flow, device: device)
    }
  }

  // The two parts of `self` are handed over apart, since the frame's span and the agent are both held for writing.

  @inline(always) private static func inbound(
    _ agent: inout HostAgent, _ buffer: inout PacketBuffer, _ byteCount: Int, _ offload: inout Offload,
    _ now: UInt32
  ) -> Verdict {
    agent.inbound(buffer.bytes, byteCount: byteCount, offload: &offload, now: now)
  }

  @inline(always) private static func outbound(
    _ agent: inout HostAgent, _ buffer: inout PacketBuffer, _ byteCount: Int, from machine: UInt32,
    _ offload: inout Offload, _ now: UInt32
  ) -> Verdict {
    agent.outbound(buffer.bytes, byteCount: byteCount, from: machine, offload: &offload, now: now)
  }

  /// Does what is said about leased ports, each order once; what waited for it goes out at once.
  private mutating func carryOut(_ orders: PortOrders?, _ now: UInt32) {
    guard let orders else { return }
    for (place, order) in orders.orders.enumerated() where orders.first + UInt64(place) >= nextOrder {
      nextOrder = orders.first + UInt64(place) + 1
      carryOut(order, now)
    }
    sendHeld(now)
    tellKernel(now)
    worker.isEndingRanges.store(agent.isEndingRanges, ordering: .relaxed)
    worker.ordersDone.store(nextOrder, ordering: .releasing)
  }

  private mutating func carryOut(_ order: PortOrder, _ now: UInt32) {
    switch order {
    case .lease(let lease, let machine):
      let range = SNATRange(lease.range)
      guard plan?.locators[machine] == lease.locator,
        !returned.contains(Given(machine: machine, range: range))
      else { return }
      if take(range, for: machine, now) == .noRoom { worker.ports.giveBack(lease) }
    case .recall(let lease, let machine):
      guard plan?.locators[machine] == lease.locator else { return }
      agent.recall(SNATRange(lease.range), machine: machine, now: now)
    case .end(let lease, let machine):
      guard plan?.locators[machine] == lease.locator else { return }
      returned.remove(Given(machine: machine, range: SNATRange(lease.range)))
      _ = agent.withdraw(SNATRange(lease.range), machine: machine)
    case .refuse(let refusal, let machine):
      guard plan?.locators[machine] == refusal.locator else { return }
      agent.refuse(
        machine: machine, now: now, retryAfterMilliseconds: refusal.retryAfterMilliseconds,
        reason: refusal.reason == .noService ? .noSNAT : .portsExhausted)
    case .repeatRequests: agent.repeatRequests()
    }
  }

  /// Lets a VM use a range, when the kernel carries no flow any more that its last owner had.
  ///
  /// Every turn takes back hundreds of them, since changes have room when all were told.
  private mutating func take(_ range: SNATRange, for machine: UInt32, _ now: UInt32) -> LeaseOutcome {
    while true {
      let outcome = agent.lease(range, to: machine, now: now)
      guard outcome == .stillEnding else { return outcome }
      tellKernel(now)
      agent.sweep(now: now, budget: 0)
    }
  }

  /// Sends what has waited for a port; what needs yet another one waits on.
  private mutating func sendHeld(_ now: UInt32) {
    let uplink = worker.uplink.handle
    var offload = Offload()
    for _ in 0..<HostAgent.heldSlots {
      guard let held = agent.takeHeld() else { return }
      let byteCount = buffer.release(held.slot, &offload)
      switch Self.outbound(&agent, &buffer, byteCount, from: held.machine, &offload, now) {
      case .transmit(let offset, let length):
        buffer.transmit(offset: offset, byteCount: length, offload, to: .tun(uplink))
      case .hold(let slot): buffer.hold(byteCount, offload, in: slot)
      case .pass, .drop, .deliver: break
      }
    }
  }

  /// Passes on which VMs need ports and which ranges are used no more.
  private mutating func tellManager() {
    while let machine = agent.takePortRequest() {
      if let locator = plan?.locators[machine] { worker.ports.ask(for: locator) }
    }
    while let given = agent.takeReturnedRange() {
      guard let locator = plan?.locators[given.machine], let range = PortRange(given.range) else { continue }
      // What the agent says again is repeated by the link, which knows what the manager has ended meanwhile.
      guard returned.insert(Given(machine: given.machine, range: given.range)).inserted else { continue }
      worker.ports.giveBack(PortLease(range, to: locator))
    }
    if worker.isEndingRanges.load(ordering: .relaxed) {
      worker.isEndingRanges.store(agent.isEndingRanges, ordering: .relaxed)
    }
  }

  private mutating func adopt(_ next: HostPlan) {
    returned = returned.filter { next.locators[$0.machine] == plan?.locators[$0.machine] }
    for (index, device) in plan?.devices ?? [:] where next.devices[index] !== device {
      machines[Int(index)] = .none
      device.unwatch(in: &epoll)
    }
    for (index, device) in next.devices where plan?.devices[index] !== device {
      machines[Int(index)] = device.port
      device.watch(in: &epoll, tag: Tag.firstMachine + UInt64(index))
    }
    watch(next.sockets)
    agent.adopt(next.map)
    // What VMs that go have in the kernel lies there under the devices of the plan before.
    let now = UInt32(truncatingIfNeeded: MonotonicClock.milliseconds)
    tellKernel(now)
    while agent.isEndingRanges {
      agent.sweep(now: now, budget: 0)
      tellKernel(now)
    }
    carryOut(monitor.handle(.configure(next.probes), now: MonotonicClock.milliseconds))
    plan = next
    carryOut(next.orders, now)
    restore(next)
    tellKernel(now)
    worker.isEndingRanges.store(agent.isEndingRanges, ordering: .relaxed)
    worker.adopted.store(next.generation, ordering: .releasing)
  }

  /// Takes packets from these sockets and no others; what waits in them is told anew.
  private mutating func watch(_ next: [UplinkSocket]) {
    let present = plan?.sockets ?? []
    guard !present.elementsEqual(next, by: ===) else { return }
    for (place, uplink) in present.enumerated() {
      sockets[place & 15] = .none
      try? epoll.remove(uplink.socket.descriptor)
    }
    for (place, uplink) in next.enumerated() {
      sockets[place & 15] = uplink.socket.handle
      try? epoll.add(uplink.socket.descriptor, tag: Tag.firstSocket + UInt64(place))
    }
  }

  /// The device was removed inside the VM: the control side opens it anew.
  private mutating func lose(_ machine: UInt32) {
    machines[Int(machine & 1023)] = .none
    plan?.devices[machine]?.unwatch(in: &epoll)
    worker.lostMachinesOutlet.yield(machine)
  }

  private mutating func carryOut(_ outputs: [HealthMonitor.Output]) {
    for output in outputs {
      switch output {
      case .transmit(let machine, let packet):
        guard buffer.place(packet) else { continue }
        buffer.transmit(
          offset: 0, byteCount: packet.count, Offload(), to: machines[Int(machine & 1023)])
      case .healthChanged(let result):
        guard let change = HealthChange(result) else { continue }
        worker.health.note(change)
      }
    }
  }
}

extension HealthChange {
  /// A probe's result as the manager hears it.
  init?(_ result: ProbeResult) {
    guard let transport = TransportProtocol(rawValue: result.proto.rawValue) else { return nil }
    self.init(
      locator: result.locator,
      key: EndpointKey(vip: result.vip, transport: transport, port: result.vipPort),
      isHealthy: result.isHealthy, reason: result.reason)
  }
}
