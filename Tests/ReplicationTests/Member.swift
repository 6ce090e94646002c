import Control
import Logging
import Manager
import Paxos
import Replication
import Synchronization

/// One manager of a test: its log, its disk, and what it has been told.
final class Member: Sendable {
  struct Knowledge {
    var state = ManagerState()
    /// The epoch in which it is primary.
    var epoch: Epoch?
    var leader: String?
    var installs = 0
    var depositions = 0
    var answers: [UInt64: Answer] = [:]
    var lastQuestion: UInt64 = 0
  }
  enum Answer: Hashable {
    case readable(Revision), unreadable(String?), changed(ManagementError?)
  }

  let address: ManagerAddress
  let disk: MemoryDisk
  let log: PaxosLog
  private let knowledge = Mutex(Knowledge())
  private let network: MemoryNetwork
  private let listener = Mutex<Task<Void, Never>?>(nil)

  init(
    _ index: Int, of managers: [ManagerAddress], disk: MemoryDisk, on network: MemoryNetwork, tuning: Tuning
  ) throws {
    address = managers[index]
    self.disk = disk
    self.network = network
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let settings = ReplicationSettings(
      node: "n\(index)", address: address, managers: managers, tuning: tuning)
    log = try PaxosLog(settings, disk: disk, network: network.port(address), logger: logger)
    let events = log.events
    let task = Task { [weak self] in for await event in events { self?.hear(event) } }
    listener.withLock { $0 = task }
  }

  var known: Knowledge { knowledge.withLock { $0 } }
  var isPrimary: Bool { known.epoch != nil }
  /// What its counters say.
  var halted: UInt64? { log.counters().first { $0.name == "ananta_log_halted" }?.value }
  var networks: Set<String> { Set(known.state.desired.networks.keys) }

  /// The networks of all entries that were told, in order; none may be told twice.
  var told: [String] { known.state.auditRecords.compactMap { $0.items.first?.key.name } }

  private func hear(_ event: Manager::LogEvent) {
    knowledge.withLock { known in
      switch event {
      case .installed(let state):
        precondition(state.revision >= known.state.revision, "a state from before")
        known.state = state
        known.installs += 1
      case .committed(let entries):
        for entry in entries { _ = known.state.apply(entry.entry, at: entry.revision) }
      case .becamePrimary(let epoch):
        known.epoch = epoch
        known.leader = nil
      case .lostPrimary(let leader):
        if known.epoch != nil { known.depositions += 1 }
        known.epoch = nil
        known.leader = leader
      case .readable(let id): known.answers[id] = .readable(known.state.revision)
      case .unreadable(let id, let leader): known.answers[id] = .unreadable(leader)
      case .changed(let id, let error): known.answers[id] = .changed(error)
      case .snapshotWanted(let question): log.snapshot(known.state, for: question)
      }
    }
  }

  /// Appends an entry that can be recognised, if this is the primary.
  func append(_ name: String) {
    guard let epoch = known.epoch else { return }
    let network = VirtualNetwork(name: name, prefixes: [])
    log.append(
      .operation(.apply([.virtualNetwork(network)]), by: Author(name: "test", at: 0)), in: epoch)
  }

  /// Asks, and waits for the answer; nil if it does not come.
  func answer(_ ask: (PaxosLog, UInt64) -> Void) async -> Answer? {
    let id = knowledge.withLock { known in
      known.lastQuestion += 1
      return known.lastQuestion
    }
    ask(log, id)
    _ = await eventually { self.known.answers[id] != nil }
    return known.answers[id]
  }

  /// Ends without a word to the others.
  func kill() async {
    network.close(address)
    disk.setHeld(false)
    await log.stop()
  }
}

/// Waits until something is so, at most half a minute.
func eventually(_ isSo: @Sendable () async -> Bool) async -> Bool {
  for _ in 0..<3000 {
    if await isSo() { return true }
    try? await Task.sleep(for: .milliseconds(10))
  }
  return await isSo()
}
