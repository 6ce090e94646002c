internal import Control
internal import Dataplane
internal import Logging
internal import Manifest
internal import Mux
internal import Platform
internal import Speaker
internal import Synchronization
internal import Wire

/// The role mux: `ananta0` with a worker for each queue, the routes of the VIPs into it, and BGP.
actor MuxRole: DataPath {
  static let device = "ananta0"
  /// The same on every MUX of the pool, or connections would break when ECMP moves them.
  static let poolSeed: UInt64 = 0x416e_616e_7461_3133
  /// How long packets are still forwarded after the routers were told to go elsewhere.
  static let drainTime = Duration.milliseconds(500)

  private let settings: MuxConfiguration
  private let workers: [MuxWorker]
  private let speaker: Speaker
  private let routes: NodeRoutes
  private let logger: Logger
  private var forwarding: KernelForwarding?
  /// Why packets go through user space; empty when they need not.
  private var obstacle = ""
  /// Whether the way through the kernel was given up for tables that could not be written.
  private var hasAbandoned = false
  private let agent: AgentConfiguration
  // Of the node's state only what is needed again: what is shared is copied before it is changed, and the ranges of
  // a MUX are megabytes.
  private var revision = Revision(0)
  private var announced: Set<IPv4Address> = []
  private var endpoints: [EndpointConfiguration] = []
  private var map: VIPMap
  private var ports: MuxPorts
  private var generation: UInt64 = 0
  private var problems: [String] = []

  init(_ settings: MuxConfiguration, _ agent: AgentConfiguration, routes: NodeRoutes, logger: Logger) throws {
    self.settings = settings
    self.routes = routes
    self.logger = logger
    let (forwarding, obstacle) = Self.forwarding(agent, settings)
    let restored = forwarding?.remains.map { VIPMap(restoring: $0, seed: Self.poolSeed) }
    let map = restored ?? VIPMap(seed: Self.poolSeed)
    if !obstacle.isEmpty { logger.warning("packets go through user space: \(obstacle)") }
    for warning in forwarding?.warnings ?? [] { logger.warning("\(warning)") }
    if forwarding == nil { LeftPrograms.mux(agent.dataDirectory).remove() }
    self.agent = agent
    self.forwarding = forwarding
    self.obstacle = obstacle
    self.map = map
    let ranges = forwarding?.ranges ?? SNATRanges()
    ports = MuxPorts(ranges)
    let cpus = WorkerThread.availableCPUs
    do throws(PlatformError) {
      var device = try UplinkDevice.open(
        Self.device, queues: settings.workers ?? max(1, cpus.count), mtu: settings.mtu)
      var workers: [MuxWorker] = []
      while let queue = device.takeQueue() {
        let worker = try MuxWorker(queue: queue, address: agent.address, mtu: settings.mtu)
        let cpu = cpus.isEmpty ? nil : cpus[workers.count % cpus.count]
        _ = try worker.start(index: workers.count, onCPU: cpu, map: map, ranges: ranges)
        workers.append(worker)
      }
      self.workers = workers
    } catch {
      throw AgentError.platform(error.description)
    }
    speaker = Speaker(Self.speaker(settings.bgp, agent), logger: logger)
    do {
      try speaker.start()
    } catch {
      throw AgentError.platform("\(error)")
    }
  }

  func adopt(_ kept: KeptState) async -> Bool {
    revision = kept.state.revision
    announced = kept.state.announced
    endpoints = kept.state.muxEndpoints.values.map(EndpointConfiguration.init)
    ports.become(kept.state.portRanges)
    return await bringUp()
  }

  func change(_ commands: [Command], in kept: KeptState) async -> Bool {
    revision = kept.state.revision
    let isOtherVIPs = ports.carryOut(commands)
    guard isOtherVIPs || !problems.isEmpty else { return true }
    return await bringUp()
  }

  /// Routers go elsewhere before a VIP is forgotten, and come only when its packets find their way.
  private func bringUp() async -> Bool {
    speaker.announce(Self.prefixes(announced.intersection(map.vips)))
    ports.retry()
    problems = []
    do {
      // Answers to leased ports come also to VIPs that have no endpoint.
      map = try map.updated(
        endpoints: endpoints, vips: Array(announced.union(ports.vips)), now: Self.now)
      await install()
    } catch {
      problems.append("the VIP map of revision \(revision.number) cannot be built: \(error)")
    }
    let destinations = map.vips.map { (IPv4Prefix($0, length: 32), Self.device) }
    problems += await routes.set(Dictionary(uniqueKeysWithValues: destinations), for: "mux")
    guard problems.isEmpty else { return false }
    speaker.announce(Self.prefixes(announced))
    return true
  }

  /// Hands the map to every worker and waits until all go by it.
  private func install() async {
    // What did not fit or found no memory may do so now.
    if forwarding == nil, hasAbandoned { retryKernel() }
    await handOut(MuxPlan(map, ports.ranges, generation: nextGeneration(), kernel: forwarding?.kernel))
    do {
      try forwarding?.install(map)
      forwarding?.attach()
    } catch {
      // The kernel must not go on by tables that are out of date.
      let left = forwarding?.kernel
      forwarding?.abandon()
      forwarding = nil
      await handOut(
        MuxPlan(map, ports.ranges, generation: nextGeneration(), kernel: left, keepsRecords: true))
      hasAbandoned = true
      obstacle = "the kernel's tables cannot be written: \(error)"
      logger.warning("packets go through user space: \(obstacle)")
    }
  }

  private func nextGeneration() -> UInt64 {
    generation += 1
    return generation
  }

  private func handOut(_ plan: MuxPlan) async {
    for worker in workers { worker.mailbox.post(plan) }
    for worker in workers {
      while worker.adopted.load(ordering: .acquiring) < plan.generation {
        try? await Task.sleep(for: .milliseconds(1))
      }
    }
  }

  /// Takes up the way through the kernel again; the table of leases becomes one that its programs read.
  private func retryKernel() {
    (forwarding, obstacle) = Self.forwarding(agent, settings)
    if let shared = forwarding?.ranges { ports.move(to: shared) }
  }

  /// Lets the kernel forget what is over, and find out what may be; what could not be done.
  private func sweep() -> [String] {
    do throws(PlatformError) {
      try forwarding?.sweep(now: Self.now)
    } catch {
      return [error.description]
    }
    do throws(PlatformError) {
      try forwarding?.refreshNeighbours(map)
    } catch {
      // Nothing that building everything anew would mend.
      logger.warning("neighbours cannot be refreshed: \(error)")
    }
    return []
  }

  /// The way through the kernel, or why there is none.
  private static func forwarding(
    _ agent: AgentConfiguration, _ settings: MuxConfiguration
  ) -> (KernelForwarding?, String) {
    guard settings.path != .userSpace else { return (nil, "the configuration says so") }
    let complaints = BPFCapabilities.probe().complaints(of: .mux)
    guard complaints.isEmpty else { return (nil, complaints.joined(separator: " ")) }
    do throws(PlatformError) {
      return (try KernelForwarding(agent, settings, seed: poolSeed), "")
    } catch {
      return (nil, error.description)
    }
  }

  /// The way of each uplink.
  private var paths: [ForwardingPath] {
    forwarding?.paths ?? [ForwardingPath(role: .mux, device: "", path: "user space", reason: obstacle)]
  }

  func repair() async -> Bool {
    forwarding?.attach()
    let unswept = sweep()
    guard problems.isEmpty else { return await bringUp() }
    ports.retry()
    problems = await routes.repair() + UplinkDevice.repair(Self.device) + unswept
    if let settled = map.settled(now: Self.now) {
      map = settled
      await install()
    }
    return problems.isEmpty
  }

  func statistics() -> NodeStatistics {
    let sessions = speaker.sessions().map { session in
      BGPSessionStatus(
        peer: session.peer, state: "\(session.state)", secondsInState: session.secondsInState,
        announced: session.announced)
    }
    return NodeStatistics(
      bgp: sessions, counters: MuxStatistics.counters(workers, map, forwarding),
      problems: problems + ports.problems,
      paths: paths)
  }

  func drain() async {
    speaker.stop(reason: "the agent was told to end")
    try? await Task.sleep(for: Self.drainTime)
    for worker in workers { worker.stop() }
  }

  private static var now: UInt32 { UInt32(truncatingIfNeeded: MonotonicClock.milliseconds) }

  private static func prefixes(_ vips: Set<IPv4Address>) -> [IPv4Prefix] {
    vips.sorted().map { IPv4Prefix($0, length: 32) }
  }

  private static func speaker(_ bgp: BGPConfiguration, _ agent: AgentConfiguration) -> SpeakerConfiguration {
    SpeakerConfiguration(
      localAddress: agent.address, localAS: bgp.localAS, routerID: bgp.routerID,
      holdTimeSeconds: bgp.holdTimeSeconds, connectRetrySeconds: max(1, bgp.connectRetryMilliseconds / 1000),
      neighbors: bgp.neighbors.map {
        NeighborConfiguration(
          address: $0.address, port: $0.port, remoteAS: $0.remoteAS, password: $0.password)
      })
  }
}

extension EndpointConfiguration {
  /// An endpoint as the manager's command describes it.
  init(_ endpoint: MuxEndpoint) {
    self.init(
      vip: endpoint.key.vip, port: endpoint.key.port, proto: IPProtocol(endpoint.key.transport.rawValue),
      affinity: HashedFields(endpoint.affinity),
      idleTimeout: UInt32(clamping: endpoint.idleTimeoutMilliseconds),
      backends: endpoint.backends.map { WeightedBackend(locator: $0.locator, weight: $0.weight) })
  }
}

extension HashedFields {
  init(_ affinity: Affinity) {
    switch affinity {
    case .fiveTuple: self = .fiveTuple
    case .sourceAndDestination: self = .sourceAndDestination
    case .sourceDestinationAndProtocol: self = .sourceDestinationAndProtocol
    }
  }
}
