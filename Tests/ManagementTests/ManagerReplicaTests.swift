import Control
import Management
import Manager
import Synchronization
import Testing
import Wire

@Suite("A running manager", .timeLimit(.minutes(10))) struct ManagerReplicaTests {
  @Test("100 operators at once each get a revision of their own") func many()
    async throws
  {
    let log = MemoryLog()
    let replica = await Bench.primary(log)
    log.hold()
    let revisions = try await withThrowingTaskGroup(of: Outcome.self) { group in
      for index in 0..<100 {
        group.addTask { try await replica.perform(Bench.network(index), dryRun: false, by: .anonymous) }
      }
      log.release()
      var revisions: [Revision] = []
      for try await outcome in group {
        #expect(outcome.errors.isEmpty)
        revisions.append(outcome.revision)
      }
      return revisions
    }
    #expect(Set(revisions).count == 100)
    #expect(try await replica.state().networks.count == 100)
    let operations = log.entries.filter { if case .operation = $0 { true } else { false } }
    #expect(operations.count == 100)
    await replica.stop()
  }

  @Test("a dry run says the same and changes nothing") func dryRun() async throws {
    let replica = await Bench.primary()
    let dry = try await replica.perform(Bench.network(1), dryRun: true, by: .anonymous)
    #expect(dry.changes.map(\.action) == [.created])
    #expect(try await replica.state().networks.isEmpty)
    let wet = try await replica.perform(Bench.network(1), dryRun: false, by: .anonymous)
    #expect(wet.changes == dry.changes)
    #expect(try await replica.state().networks.count == 1)
    let idle = try await replica.perform(Bench.network(1), dryRun: false, by: .anonymous)
    #expect(idle.changes.map(\.action) == [.unchanged])
    await replica.stop()
  }

  @Test("an answer that changes nothing waits until the log says that it is the newest") func idle()
    async throws
  {
    let log = MemoryLog()
    let replica = await Bench.primary(log)
    _ = try await replica.perform(Bench.network(1), dryRun: false, by: .anonymous)
    log.setSilent(true)
    let isAnswered = Mutex(false)
    let idle = Task {
      let outcome = try await replica.perform(Bench.network(1), dryRun: false, by: .anonymous)
      isAnswered.withLock { $0 = true }
      return outcome
    }
    #expect(await eventually { log.unanswered == 1 })
    #expect(!isAnswered.withLock { $0 })
    log.setSilent(false)
    #expect(try await idle.value.changes.map(\.action) == [.unchanged])
    await replica.stop()
  }

  @Test("who is deposed says that what was under way is uncertain, and where the primary is") func deposed()
    async throws
  {
    let log = MemoryLog()
    let replica = await Bench.primary(log)
    _ = try await replica.perform(.apply([Bench.mux(1)]), dryRun: false, by: .anonymous)
    let session = try await replica.attach(Bench.hello("mux1"))
    log.hold()
    async let lost = Result { try await replica.perform(Bench.network(1), dryRun: false, by: .anonymous) }
    #expect(await eventually { log.holds("v1") })
    log.depose(to: "10.1.2.2:4600")
    guard case .failure(ManagementError.uncertain) = await lost else {
      Issue.record("the change under way was answered otherwise")
      return
    }
    for await _ in session.messages {}
    await #expect(throws: ManagementError.notPrimary(address: "10.1.2.2:4600")) {
      try await replica.perform(Bench.network(2), dryRun: false, by: .anonymous)
    }
    await #expect(throws: ManagementError.notPrimary(address: "10.1.9.2:4600")) { try await replica.state() }
    // The next primary chooses it after all; then this one leads again, and has it.
    log.release()
    log.lead(5)
    _ = await eventually { (try? await replica.state().epoch) == Epoch(5, replica: 1) }
    let state = try await replica.state()
    #expect(state.networks.map(\.name) == ["v1"] && state.epoch == Epoch(5, replica: 1))
    await replica.stop()
  }

  @Test("a primary that goes on under a new ballot answers what was under way") func goesOn() async throws {
    let log = MemoryLog()
    let replica = await Bench.primary(log)
    _ = try await replica.perform(.apply([Bench.mux(1)]), dryRun: false, by: .anonymous)
    let session = try await replica.attach(Bench.hello("mux1"))
    var updates = session.updates.makeAsyncIterator()
    let first = try #require(await updates.next())
    await replica.report(.acknowledged(first.revision, first.epoch), from: session.id)
    log.hold()
    async let kept = replica.perform(Bench.network(1), dryRun: false, by: .anonymous)
    #expect(await eventually { log.holds("v1") })
    log.lead(2)
    #expect(await eventually { log.waiting.contains(.epochBegan(Epoch(2, replica: 1))) })
    log.release()
    #expect(try await kept.changes.map(\.action) == [.created])
    var last = first
    while last.epoch < Epoch(2, replica: 1) {
      last = try #require(await updates.next())
      #expect(!last.isSnapshot)
      await replica.report(.acknowledged(last.revision, last.epoch), from: session.id)
    }
    await replica.stop()
  }

  @Test("an agent gets a snapshot, then deltas, and a wait ends with its acknowledgement") func agent()
    async throws
  {
    let replica = await Bench.primary()
    _ = try await replica.perform(.apply([Bench.mux(1)]), dryRun: false, by: .anonymous)
    let session = try await replica.attach(Bench.hello("mux1"))
    var updates = session.updates.makeAsyncIterator()
    let first = try #require(await updates.next())
    #expect(first.isSnapshot)
    let applied = try await replica.perform(Bench.network(1), dryRun: false, by: .anonymous)
    var progress = try await replica.wait(for: applied.revision).makeAsyncIterator()
    #expect(
      await progress.next() == WaitProgress(revision: applied.revision, acknowledged: [], pending: ["mux1"]))
    var acknowledged = first
    while acknowledged.revision < applied.revision {
      await replica.report(.acknowledged(acknowledged.revision, acknowledged.epoch), from: session.id)
      acknowledged = try #require(await updates.next())
    }
    #expect(!acknowledged.isSnapshot)
    await replica.report(.acknowledged(acknowledged.revision, acknowledged.epoch), from: session.id)
    #expect(
      await progress.next() == WaitProgress(revision: applied.revision, acknowledged: ["mux1"], pending: []))
    #expect(await progress.next() == nil)
    await replica.detach(session.id)
    #expect(try await replica.state().nodes.map(\.isConnected) == [false])
    await replica.stop()
  }

  @Test("a wait that nobody reads any more is forgotten") func abandoned() async throws {
    let replica = await Bench.primary()
    _ = try await replica.perform(.apply([Bench.mux(1)]), dryRun: false, by: .anonymous)
    // More than may wait at one time: each goes before the next comes.
    for _ in 0..<1100 {
      let task = Task {
        for await _ in try await replica.wait(for: Revision(1000)) {}
      }
      task.cancel()
      _ = await task.result
    }
    await replica.stop()
  }

  @Test("a restarted manager has everything, in a new epoch") func restart() async throws {
    let log = MemoryLog()
    let first = await Bench.primary(log)
    _ = try await first.perform(.apply([Bench.mux(1), Bench.mux(2)]), dryRun: false, by: .anonymous)
    await first.stop()
    let (second, _) = Bench.replica(MemoryLog(after: log.entries, round: 2))
    #expect(await eventually { (try? await second.state().epoch) == Epoch(2, replica: 1) })
    _ = try await second.perform(Bench.network(1), dryRun: false, by: .anonymous)
    let state = try await second.state()
    #expect(state.nodes.map(\.node.name) == ["mux1", "mux2"])
    await second.stop()
  }

  @Test("agents that cannot be served are told why") func refusals() async throws {
    let replica = await Bench.primary()
    _ = try await replica.perform(.apply([Bench.mux(1)]), dryRun: false, by: .anonymous)
    await #expect(throws: ManagementError.self) { try await replica.attach(Bench.hello("mux9")) }
    await #expect(throws: ManagementError.self) { try await replica.attach(Bench.hello("mux1", 7)) }
    await #expect(throws: ManagementError.self) {
      try await replica.attach(Hello(node: "mux1", roles: [.host], epoch: Epoch(0), revision: Revision(0)))
    }
    await replica.stop()
    await #expect(throws: ManagementError.notPrimary(address: nil)) {
      try await replica.perform(Bench.network(1), dryRun: false, by: .anonymous)
    }
    await #expect(throws: ManagementError.notPrimary(address: nil)) { try await replica.state() }
  }

  @Test("a full disk is told to whoever asks") func full() async throws {
    let log = MemoryLog()
    let replica = await Bench.primary(log)
    log.halt("the disk is full; make room")
    let unavailable = ManagementError.unavailable(reason: "the disk is full; make room")
    #expect(
      await eventually {
        do throws(ManagementError) {
          _ = try await replica.perform(Bench.network(1), dryRun: true, by: .anonymous)
          return false
        } catch {
          return error == unavailable
        }
      })
    await #expect(throws: unavailable) { try await replica.state() }
    await replica.stop()
  }

  @Test("a manifest that no entry of the log can hold is refused") func tooLarge() async throws {
    let log = MemoryLog()
    let replica = await Bench.primary(log)
    log.limit(2)
    let operation = Control.Operation.apply((0..<3).map { .virtualNetwork(Bench.virtualNetwork($0)) })
    await #expect(throws: ManagementError.refused(reason: "3 are more than 2")) {
      try await replica.perform(operation, dryRun: false, by: .anonymous)
    }
    await replica.stop()
  }

  @Test("who changed what is kept, with managers added and leadership handed over") func audit() async throws
  {
    let log = MemoryLog()
    let replica = await Bench.primary(log)
    let alice = Identity.operator("alice", .admin)
    _ = try await replica.perform(Bench.network(1), dryRun: false, by: alice)
    try await replica.change(.add("n2"), by: alice)
    try await replica.change(.transfer(to: "n2"), by: alice)
    log.refuseChanges(.refused(reason: "no"))
    await #expect(throws: ManagementError.refused(reason: "no")) {
      try await replica.change(.remove("n2"), by: alice)
    }
    let records = try await replica.auditRecords()
    #expect(records.map(\.author.name) == ["alice", "alice", "alice"])
    #expect(
      records.map(\.note)
        == ["", ManagerChange.add("n2").note, ManagerChange.transfer(to: "n2").note])
    #expect(records.first?.items.map(\.key.name) == ["v1"])
    #expect(log.changes == [.add("n2"), .transfer(to: "n2")])
    await replica.stop()
  }

  @Test("the primary rotates the datagrams' keys, and gives its state when the log asks") func keys()
    async throws
  {
    let log = MemoryLog()
    let replica = await Bench.primary(log)
    #expect(
      await eventually { log.entries.contains { if case .keysRotated = $0 { true } else { false } } })
    _ = try await replica.perform(Bench.network(1), dryRun: false, by: .anonymous)
    log.askForSnapshot(42)
    #expect(await eventually { log.snapshots[42]?.desired.networks.count == 1 })
    await replica.stop()
  }
}

extension Result where Failure == any Error, Success: Sendable {
  /// What came of it, either way.
  init(_ body: @Sendable () async throws -> Success) async {
    do { self = .success(try await body()) } catch { self = .failure(error) }
  }
}

extension MemoryLog {
  /// Whether an entry that makes this virtual network waits to be committed.
  fileprivate func holds(_ name: String) -> Bool {
    waiting.contains { entry in
      guard case .operation(.apply(let resources), _) = entry else { return false }
      return resources.contains { $0.key.name == name }
    }
  }
}
