import Control
import Logging
import Management
import Manager
import Testing
import Wire

@Suite("A running manager", .timeLimit(.minutes(1))) struct ManagerReplicaTests {
  private static func replica(_ log: MemoryLog) async throws -> ManagerReplica {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return try await ManagerReplica(log: log, logger: logger)
  }

  private static func network(_ index: Int) -> Control.Operation {
    .apply([
      .virtualNetwork(
        VirtualNetwork(name: "v\(index)", prefixes: [IPv4Prefix(IPv4Address(10, 0, 0, 0), length: 24)]))
    ])
  }

  private static func mux(_ index: UInt8) -> Resource {
    .node(Node(name: "mux\(index)", address: IPv4Address(10, 1, index, 2), roles: [.mux]))
  }

  private static func hello(_ name: String, _ epoch: UInt64 = 0, _ revision: UInt64 = 0) -> Hello {
    Hello(node: name, roles: [.mux], epoch: Epoch(epoch), revision: Revision(revision))
  }

  @Test("100 operators at once each get a revision of their own") func many()
    async throws
  {
    let log = MemoryLog()
    let replica = try await Self.replica(log)
    await log.hold()
    let revisions = try await withThrowingTaskGroup(of: Outcome.self) { group in
      for index in 0..<100 { group.addTask { try await replica.perform(Self.network(index), dryRun: false) } }
      await log.release()
      var revisions: [Revision] = []
      for try await outcome in group {
        #expect(outcome.errors.isEmpty)
        revisions.append(outcome.revision)
      }
      return revisions
    }
    #expect(Set(revisions).count == 100)
    #expect(await replica.state().networks.count == 100)
    #expect(await log.entries.count == 101)
    await replica.stop()
  }

  @Test("entries that come during one write share the next") func shares() async throws {
    let log = MemoryLog()
    await log.hold()
    let replica = try await Self.replica(log)
    async let first = replica.perform(Self.network(1), dryRun: false)
    async let second = replica.perform(Self.network(2), dryRun: false)
    async let third = replica.perform(Self.network(3), dryRun: false)
    // The epoch's entry is held; the three gather behind it.
    try await Task.sleep(for: .milliseconds(200))
    await log.release()
    let outcomes = try await [first, second, third]
    #expect(Set(outcomes.map(\.revision)) == [Revision(2), Revision(3), Revision(4)])
    #expect(await log.batches.first == 1)
    #expect(await log.batches.count <= 3)
    await replica.stop()
  }

  @Test("a dry run says the same and changes nothing") func dryRun() async throws {
    let log = MemoryLog()
    let replica = try await Self.replica(log)
    let dry = try await replica.perform(Self.network(1), dryRun: true)
    #expect(dry.changes.map(\.action) == [.created])
    #expect(await replica.state().networks.isEmpty)
    let wet = try await replica.perform(Self.network(1), dryRun: false)
    #expect(wet.changes == dry.changes)
    #expect(await replica.state().networks.count == 1)
    let idle = try await replica.perform(Self.network(1), dryRun: false)
    #expect(idle.changes.map(\.action) == [.unchanged] && idle.revision == wet.revision)
    await replica.stop()
  }

  @Test("a full disk is told to whoever asked, and forgotten when there is room") func full() async throws {
    let log = MemoryLog()
    let replica = try await Self.replica(log)
    _ = try await replica.perform(.apply([Self.mux(1)]), dryRun: false)
    let session = try await replica.attach(Self.hello("mux1"))
    await log.setFull(true)
    await #expect(throws: ManagementError.unavailable(reason: "the disk is full; make room")) {
      try await replica.perform(Self.network(1), dryRun: false)
    }
    #expect(await replica.state().networks.isEmpty)
    for await _ in session.updates {}
    await log.setFull(false)
    #expect(try await replica.perform(Self.network(1), dryRun: false).changes.map(\.action) == [.created])
    await replica.stop()
  }

  @Test("an agent gets a snapshot, then deltas, and a wait ends with its acknowledgement") func agent()
    async throws
  {
    let log = MemoryLog()
    let replica = try await Self.replica(log)
    let applied = try await replica.perform(.apply([Self.mux(1)]), dryRun: false)
    let session = try await replica.attach(Self.hello("mux1"))
    var updates = session.updates.makeAsyncIterator()
    let first = await updates.next()
    #expect(first?.isSnapshot == true && first?.revision == applied.revision)
    var progress = try await replica.wait(for: applied.revision).makeAsyncIterator()
    #expect(
      await progress.next() == WaitProgress(revision: applied.revision, acknowledged: [], pending: ["mux1"]))
    await replica.report(.acknowledged(applied.revision, Epoch(1)), from: session.id)
    #expect(
      await progress.next() == WaitProgress(revision: applied.revision, acknowledged: ["mux1"], pending: []))
    #expect(await progress.next() == nil)

    _ = try await replica.perform(Self.network(1), dryRun: false)
    let second = await updates.next()
    #expect(second?.isSnapshot == false && second?.commands == [])
    await replica.detach(session.id)
    #expect(await updates.next() == nil)
    #expect(await replica.state().nodes.map(\.isConnected) == [false])
    await replica.stop()
  }

  @Test("a wait that nobody reads any more is forgotten") func abandoned() async throws {
    let log = MemoryLog()
    let replica = try await Self.replica(log)
    _ = try await replica.perform(.apply([Self.mux(1)]), dryRun: false)
    // More than may wait at one time: each goes before the next comes.
    for _ in 0..<1100 {
      let task = Task {
        for await _ in try await replica.wait(for: Revision(2)) {}
      }
      task.cancel()
      _ = await task.result
    }
    await replica.stop()
  }

  @Test("a restarted manager has everything, in a new epoch") func restart() async throws {
    let log = MemoryLog()
    let first = try await Self.replica(log)
    _ = try await first.perform(.apply([Self.mux(1), Self.mux(2)]), dryRun: false)
    await first.stop()
    let second = try await Self.replica(log)
    _ = try await second.perform(Self.network(1), dryRun: false)
    let state = await second.state()
    #expect(state.nodes.map(\.node.name) == ["mux1", "mux2"])
    #expect(state.epoch == Epoch(2))
    await second.stop()
  }

  @Test("agents that cannot be served are told why") func refusals() async throws {
    let replica = try await Self.replica(MemoryLog())
    _ = try await replica.perform(.apply([Self.mux(1)]), dryRun: false)
    await #expect(throws: ManagementError.self) { try await replica.attach(Self.hello("mux9")) }
    await #expect(throws: ManagementError.self) { try await replica.attach(Self.hello("mux1", 7)) }
    await #expect(throws: ManagementError.self) {
      try await replica.attach(Hello(node: "mux1", roles: [.host], epoch: Epoch(0), revision: Revision(0)))
    }
    await replica.stop()
    await #expect(throws: ManagementError.notPrimary(address: nil)) {
      try await replica.perform(Self.network(1), dryRun: false)
    }
  }
}
