internal import Control
internal import Dataplane
internal import HostAgent
internal import KernelPath
internal import Logging
internal import Manifest
internal import Platform
internal import Synchronization
internal import Wire

/// The role host: the VMs' devices, the locators' routes, and the workers that carry packets between them.
///
/// Each VM belongs to one worker, as its locator says: a filter in the kernel brings its packets to that
/// worker's socket, or the routing table to that worker's device, and both directions of a flow meet in one
/// thread.
actor HostRole: DataPath {
  /// What the probes of all workers have found.
  nonisolated let health = HealthBoard()

  /// What all workers have to say of leased ports.
  nonisolated let ports = PortBoard()
  /// How long the kernel may take to forget connections; it takes microseconds for each.
  private static let longestEndMilliseconds = 2000

  private let settings: HostConfiguration
  private let workers: [HostWorker]
  private let routes: NodeRoutes
  private let logger: Logger
  private var kept = KeptState()
  /// What the workers know of leases, and their orders.
  private var told = HostPorts()
  private var books: [PortOrderBook]
  private var machines = MachineDirectory()
  private var receivePath: ReceivePath
  private let dataDirectory: String
  /// nil as long as no VM asks for a pair, or none can be had.
  private var forwarding: HostForwarding?
  /// Why VMs that ask for a pair have TUN devices instead.
  private var obstacle: String?
  private var hasLookedForLeftPrograms = false
  /// The way that was last told to the log.
  private var announced: String?
  /// VMs without a device, each in a sentence.
  private var missing: [String] = []
  /// What keeps the node from running its state.
  private var faults: [String] = []
  /// The plan that each worker runs, kept where a new one cannot be made.
  private var plans: [HostPlan?]
  private var generation: UInt64 = 0
  /// The bringing up that was begun last.
  private var lastTurn: Task<Bool, Never>?

  /// Opens the uplink devices, numbered from `firstDevice`, and starts a worker for each.
  init(
    _ settings: HostConfiguration, _ agent: AgentConfiguration, firstDevice: Int, routes: NodeRoutes,
    logger: Logger
  ) throws {
    self.settings = settings
    dataDirectory = agent.dataDirectory
    receivePath = ReceivePath(settings, address: agent.address)
    self.routes = routes
    self.logger = logger
    let cpus = WorkerThread.availableCPUs
    do throws(PlatformError) {
      var workers: [HostWorker] = []
      for index in 0..<settings.workers {
        var device = try UplinkDevice.open("ananta\(firstDevice + index)", queues: 1, mtu: settings.mtu)
        guard let queue = device.takeQueue() else { preconditionFailure("a new device has its queue") }
        let cpu = cpus.isEmpty ? nil : cpus[index % cpus.count]
        workers.append(try HostWorker(uplink: queue, index: index, onCPU: cpu, health: health, ports: ports))
      }
      self.workers = workers
      books = Array(repeating: PortOrderBook(), count: workers.count)
      plans = Array(repeating: nil, count: workers.count)
    } catch {
      throw AgentError.platform(error.description)
    }
    for worker in workers {
      Task { [weak self] in
        for await index in worker.lostMachines { await self?.reopen(index) }
      }
    }
  }

  func adopt(_ kept: KeptState) async -> Bool {
    self.kept = kept
    let isRunning = await bringUp()
    // The manager forgets what it knew of an endpoint that was set anew.
    health.repeatAll()
    return isRunning
  }

  func change(_ commands: [Command], in kept: KeptState) async -> Bool {
    self.kept = kept
    var orders: [Int: [PortOrder]] = [:]
    var takesAway = false
    for command in commands {
      guard let locator = command.leaseHolder, let entry = machines.entry(at: locator),
        let order = told.order(command, for: entry, kept, ports)
      else { continue }
      if case .end = order { takesAway = true }
      orders[HostWorker.number(of: locator, among: workers.count), default: []].append(order)
    }
    for (number, orders) in orders { give(orders, to: number) }
    guard takesAway else { return faults.isEmpty }
    return await waitForEnds() && faults.isEmpty
  }

  func refuse(_ refusal: PortRefusal) {
    guard let entry = machines.entry(at: refusal.locator) else { return }
    let number = HostWorker.number(of: refusal.locator, among: workers.count)
    give([.refuse(refusal, machine: entry.index)], to: number)
  }

  func askAgain() {
    for number in workers.indices { give([.repeatRequests], to: number) }
  }

  /// Wakes a worker with orders about ports.
  private func give(_ orders: [PortOrder], to number: Int) {
    workers[number].orders.post(waitingOrders(with: orders, of: number))
  }

  /// Waits until nothing leaves by ports that were taken away; false when that takes too long.
  private func waitForEnds() async -> Bool {
    let ends = books.map(\.end)
    for _ in 0..<Self.longestEndMilliseconds {
      let isOver = zip(workers, ends).allSatisfy { worker, end in
        worker.ordersDone.load(ordering: .acquiring) >= end && !worker.isEndingRanges.load(ordering: .relaxed)
      }
      if isOver { return true }
      try? await Task.sleep(for: .milliseconds(1))
    }
    faults.append("the kernel still carries connections of ports that were taken away")
    return false
  }

  func repair() async -> Bool {
    machines.forgetStrays()
    if machines.isIncomplete || !faults.isEmpty || receivePath.isOutdated { return await bringUp() }
    faults = await routes.repair() + workers.flatMap { UplinkDevice.repair($0.device) } + watchUplinks()
    return faults.isEmpty
  }

  /// A device has gone away under its worker.
  private func reopen(_ index: UInt32) async {
    machines.forgetDevice(of: index)
    _ = await bringUp()
  }

  /// Brings the workers to the newest state; true when all of it runs.
  ///
  /// One turn after the other: each lets go of devices before it opens them anew, and workers must have a plan before
  /// the next one takes its place in the mailbox.
  private func bringUp() async -> Bool {
    let before = lastTurn
    let turn = Task {
      _ = await before?.value
      return await bringUpAlone()
    }
    lastTurn = turn
    return await turn.value
  }

  private func bringUpAlone() async -> Bool {
    faults = []
    // A device that changes is let go by its worker before it is opened anew: it has one queue.
    let released = machines.release(allBut: kept.state.machines)
    if !released.isEmpty {
      health.forget(released)
      told.forget(released)
      await install()
    }
    loadPrograms()
    removeLeftPrograms()
    missing = machines.open(kept.state.machines, mtu: settings.mtu - IPIP.byteCount, forwarding)
    await takeUplinks()
    let carried = forwarding?.carried(kept, machines.entries)
    if await install(carried: carried ?? []), carried != nil { forwarding?.tookOver() }
    faults += forwarding?.follow(kept, machines.entries) ?? []
    faults += watchUplinks()
    faults += await routes.set(destinations(), for: "host")
    guard await waitForEnds() else { return false }
    return faults.isEmpty
  }

  /// Loads the kernel's programs when the first VM asks for them.
  private func loadPrograms() {
    guard forwarding == nil, kept.state.machines.values.contains(where: \.wantsPair) else { return }
    var complaints = BPFCapabilities.probe().complaints(of: .host)
    if complaints.isEmpty {
      do throws(PlatformError) {
        let forwarding = try HostForwarding(dataDirectory: dataDirectory)
        if let warning = forwarding.warning { logger.warning("\(warning)") }
        self.forwarding = forwarding
        obstacle = nil
        return
      } catch {
        complaints = [error.description]
      }
    }
    let reason = "VMs of type veth have TUN devices instead: \(complaints.joined(separator: " "))"
    if obstacle != reason { logger.warning("\(reason)") }
    obstacle = reason
  }

  /// What another agent has left for pairs that are no more would go on swallowing packets; the first time only.
  private func removeLeftPrograms() {
    guard forwarding == nil, !hasLookedForLeftPrograms else { return }
    hasLookedForLeftPrograms = true
    LeftPrograms.host(dataDirectory).remove()
  }

  /// Lets the kernel carry known flows from the uplinks; what could not be done.
  private func watchUplinks() -> [String] {
    guard let forwarding else { return [] }
    var problems: [String] = []
    for index in receivePath.uplinks {
      do throws(PlatformError) {
        try forwarding.attach(toUplink: index)
      } catch {
        problems.append(error.description)
      }
    }
    return problems
  }

  /// Takes packets from the uplinks before the stack cuts them up, where that is possible.
  ///
  /// The rule comes before the filter opens: what is delivered at all is delivered once. At the first start
  /// no route leads to a worker yet, and after a restart the rule is there already, so nothing is lost that
  /// somebody could have had.
  private func takeUplinks() async {
    receivePath.open()
    let problems = await routes.setRules(receivePath.rules(for: kept.state.locators))
    faults += problems.isEmpty ? receivePath.admit(kept.state.locators) : problems
    guard announced != receivePath.description else { return }
    announced = receivePath.description
    logger.notice("receiving encapsulated packets", metadata: ["by": "\(receivePath)"])
  }

  /// Locators to their workers' devices, and the rest of the prefix to the first, where it is counted and dropped.
  private func destinations() -> [IPv4Prefix: String] {
    var destinations: [IPv4Prefix: String] = [:]
    if let prefix = kept.state.locators { destinations[prefix] = workers[0].device }
    for entry in machines.entries {
      let number = HostWorker.number(of: entry.machine.locator, among: workers.count)
      destinations[IPv4Prefix(entry.machine.locator, length: 32)] = workers[number].device
    }
    return destinations
  }

  /// Hands each worker its part and waits until all go by it; false when a worker's part could not be made.
  @discardableResult private func install(carried: [CarriedFlow] = []) async -> Bool {
    generation += 1
    let served = kept.state.hostEndpoints.values.flatMap(\.values)
    health.keep(Set(served.filter { $0.probe != nil }))
    machines.keepProbes(of: served)
    for (number, worker) in workers.enumerated() {
      let mine = machines.entries.filter {
        HostWorker.number(of: $0.machine.locator, among: workers.count) == number
      }
      let indices = Set(mine.map(\.index))
      let plan = plan(mine, carried: carried.filter { indices.contains($0.flow.machine) }, for: number)
      plans[number] = plan
      worker.mailbox.post(plan)
    }
    for worker in workers {
      while worker.adopted.load(ordering: .acquiring) < generation {
        try? await Task.sleep(for: .milliseconds(1))
      }
    }
    return plans.allSatisfy { $0?.isOfNewestState == true }
  }

  private func plan(
    _ entries: [MachineDirectory.Entry], carried: [CarriedFlow], for worker: Int
  ) -> HostPlan {
    var endpoints: [HostMap.Endpoint] = []
    var probes: [ProbeTarget] = []
    for entry in entries {
      let served = kept.state.hostEndpoints[entry.machine.locator, default: [:]].values.sorted {
        $0.key < $1.key
      }
      for endpoint in served {
        endpoints.append(HostMap.Endpoint(endpoint, machine: entry.index))
        guard let probe = endpoint.probe else { continue }
        guard entry.device != nil else {
          health.note(
            HealthChange(
              locator: entry.machine.locator, key: endpoint.key, isHealthy: false,
              reason: "the VM has no device"))
          continue
        }
        probes.append(
          ProbeTarget(id: machines.probeID(of: endpoint), endpoint, probe, entry))
      }
    }
    let residents = entries.map {
      HostMap.Machine(
        index: $0.index, locator: $0.machine.locator, dip: $0.machine.dip, mtu: settings.mtu - IPIP.byteCount,
        lendsFlows: $0.device?.nodeEnd != nil)
    }
    do {
      let map = try HostMap(muxes: kept.state.muxes, machines: residents, endpoints: endpoints)
      let devices = entries.compactMap { entry in entry.device.map { (entry.index, $0) } }
      return HostPlan(
        map: map, locators: Dictionary(uniqueKeysWithValues: entries.map { ($0.index, $0.machine.locator) }),
        devices: Dictionary(uniqueKeysWithValues: devices), sockets: receivePath.sockets(of: worker),
        probes: probes, kernel: forwarding?.kernel, carried: carried,
        orders: waitingOrders(with: entries.flatMap { told.orders(for: $0, kept, ports) }, of: worker),
        generation: generation)
    } catch {
      faults.append("the host map of revision \(kept.state.revision.number) cannot be built: \(error)")
      // Better the last state that could be run than none.
      return HostPlan(
        map: plans[worker]?.map ?? .empty, locators: plans[worker]?.locators ?? [:],
        devices: plans[worker]?.devices ?? [:], sockets: receivePath.sockets(of: worker),
        probes: plans[worker]?.probes ?? [], kernel: forwarding?.kernel, carried: [],
        orders: waitingOrders(with: [], of: worker), isOfNewestState: false, generation: generation)
    }
  }

  /// All orders that a worker may not have carried out, and some more: a plan that was replaced in the mailbox has
  /// taken its own with it.
  private func waitingOrders(with orders: [PortOrder], of worker: Int) -> PortOrders {
    books[worker].add(orders, done: workers[worker].ordersDone.load(ordering: .acquiring))
  }

  func statistics() -> NodeStatistics {
    // Where the operator has named uplinks, one that cannot be read is a fault; else the stack is as good a way.
    let obstacles = settings.uplinks.isEmpty ? [] : receivePath.obstacles
    return NodeStatistics(
      bgp: [],
      counters: HostStatistics.counters(
        workers, machines.entries, forwarding?.kernel, receiveQueueDrops: receivePath.dropCount()),
      problems: missing + faults + obstacles + (obstacle.map { [$0] } ?? []),
      paths: receivePath.paths + pairPaths, ports: HostStatistics.ports(workers, machines.entries))
  }

  /// The way of known flows of VMs behind a pair.
  private var pairPaths: [ForwardingPath] {
    guard forwarding != nil else { return [] }
    return receivePath.devices.map { ForwardingPath(role: .host, device: $0, path: "tc") }
  }

  /// The devices stay for the next process; packets wait in them.
  func drain() {
    for worker in workers { worker.stop() }
  }
}

extension HostMachine {
  /// Whether its device is to be one end of a veth pair.
  var wantsPair: Bool {
    switch attachment {
    case .networkNamespace(_, _, let kind): kind == .veth
    }
  }
}

extension HostMap.Endpoint {
  /// An endpoint as the manager's command describes it.
  init(_ endpoint: HostEndpoint, machine: UInt32) {
    self.init(
      machine: machine, vip: endpoint.key.vip, proto: IPProtocol(endpoint.key.transport.rawValue),
      port: endpoint.key.port, backendPort: endpoint.backendPort,
      idleMilliseconds: UInt32(clamping: endpoint.idleTimeoutMilliseconds))
  }
}

extension ProbeTarget {
  /// A probe as the manager's command describes it.
  init(id: UInt32, _ endpoint: HostEndpoint, _ probe: Probe, _ entry: MachineDirectory.Entry) {
    let method: Method
    switch probe.method {
    case .tcp: method = .tcp
    case .http(let path): method = .http(path: path)
    }
    self.init(
      id: id, machine: entry.index, locator: entry.machine.locator, dip: entry.machine.dip,
      vip: endpoint.key.vip, proto: IPProtocol(endpoint.key.transport.rawValue), vipPort: endpoint.key.port,
      method: method, port: probe.port, intervalMilliseconds: probe.intervalMilliseconds,
      timeoutMilliseconds: probe.timeoutMilliseconds, threshold: probe.threshold)
  }
}
