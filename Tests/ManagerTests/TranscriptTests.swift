import Control
import Manager
import Testing
import Wire

/// What goes into a manager and what comes out, step by step.
@Suite("Manager, step by step") struct TranscriptTests {
  private static let muxes: [Resource] = [
    .node(Node(name: "mux1", address: ip("10.1.1.2"), roles: [.mux])),
    .node(Node(name: "mux2", address: ip("10.1.2.2"), roles: [.mux])),
  ]

  private static let author = Author(name: "alice", at: 1_000)

  private static func network(_ name: String) -> Control.Operation {
    .apply([.virtualNetwork(VirtualNetwork(name: name, prefixes: [prefix("10.0.0.0/24")]))])
  }

  private static func hello(_ name: String, epoch: UInt64 = 0, revision: UInt64 = 0) -> Hello {
    Hello(node: name, roles: [.mux], epoch: Epoch(epoch), revision: Revision(revision))
  }

  /// A primary in epoch 1 with two MUXes, at revision 2.
  private static func primary() -> Manager {
    var manager = Manager(ManagerState())
    _ = manager.handle(.becamePrimary(Epoch(1)))
    _ = manager.handle(.request(RequestID(1), .apply(muxes), dryRun: false, by: author))
    _ = manager.handle(
      .committed([
        CommittedEntry(revision: Revision(1), entry: .epochBegan(Epoch(1))),
        CommittedEntry(revision: Revision(2), entry: .operation(.apply(muxes), by: author)),
      ]))
    return manager
  }

  private static func committed(_ revision: UInt64, _ operation: Control.Operation) -> Input {
    .committed([CommittedEntry(revision: Revision(revision), entry: .operation(operation, by: author))])
  }

  private static func update(_ revision: UInt64, isSnapshot: Bool = false, _ commands: [Command] = [])
    -> Update
  {
    Update(epoch: Epoch(1), revision: Revision(revision), isSnapshot: isSnapshot, commands: commands)
  }

  /// Without the sentences for the log.
  private static func essence(_ outputs: [Output]) -> [Output] {
    outputs.filter { if case .event = $0 { false } else { true } }
  }

  @Test("a request is answered when it is durable, not before") func durable() {
    var manager = Self.primary()
    let request = manager.handle(.request(RequestID(7), Self.network("blue"), dryRun: false, by: Self.author))
    #expect(request == [.append(.operation(Self.network("blue"), by: Self.author))])
    let outputs = manager.handle(Self.committed(3, Self.network("blue")))
    guard case .reply(RequestID(7), let outcome)? = outputs.first else { Issue.record("\(outputs)"); return }
    #expect(outcome.revision == Revision(3) && outcome.changes.map(\.action) == [.created])
  }

  @Test("a request is judged on those before it, though they are not durable") func inFlight() {
    var manager = Self.primary()
    _ = manager.handle(.request(RequestID(7), Self.network("blue"), dryRun: false, by: Self.author))
    // It changes nothing, but relies on what is not durable: its answer waits.
    #expect(
      manager.handle(.request(RequestID(8), Self.network("blue"), dryRun: false, by: Self.author)) == [])
    let deletion = Control.Operation.delete([ResourceKey(.virtualNetwork, "blue")])
    #expect(
      manager.handle(.request(RequestID(9), deletion, dryRun: false, by: Self.author)) == [
        .append(.operation(deletion, by: Self.author))
      ])
    let ids = manager.handle(Self.committed(3, Self.network("blue"))).compactMap { output -> RequestID? in
      if case .reply(let id, let outcome) = output, outcome.revision == Revision(3) { id } else { nil }
    }
    #expect(ids == [RequestID(7), RequestID(8)])
  }

  @Test("what is refused touches neither log nor state") func refused() {
    var manager = Self.primary()
    let outputs = manager.handle(.request(RequestID(7), Self.network("Blue"), dryRun: false, by: Self.author))
    guard case .reply(_, let outcome)? = outputs.first else { Issue.record("\(outputs)"); return }
    #expect(outputs.count == 1 && outcome.errors.count == 1 && outcome.changes.isEmpty)
    #expect(outcome.revision == Revision(2))
  }

  @Test("what was under way when the primary was deposed may take effect, and is said to") func deposed() {
    var manager = Self.primary()
    _ = manager.handle(.request(RequestID(7), Self.network("blue"), dryRun: false, by: Self.author))
    _ = manager.handle(.request(RequestID(8), Self.network("blue"), dryRun: false, by: Self.author))
    _ = manager.handle(.wait(RequestID(9), Revision(1)))
    let outputs = Self.essence(manager.handle(.lostPrimary(address: nil)))
    let uncertain = outputs.prefix(2).filter { if case .fail(_, .uncertain) = $0 { true } else { false } }
    #expect(uncertain.count == 2)
    #expect(outputs.dropFirst(2) == [.fail(RequestID(9), .notPrimary(address: nil))])
    // It did take effect: a follower's next request meets it.
    _ = manager.handle(Self.committed(3, Self.network("blue")))
    _ = manager.handle(.becamePrimary(Epoch(2)))
    let again = manager.handle(.request(RequestID(10), Self.network("blue"), dryRun: true, by: Self.author))
    guard case .reply(RequestID(10), let outcome)? = again.first else { Issue.record("\(again)"); return }
    #expect(outcome.changes.map(\.action) == [.unchanged])
  }

  @Test("a primary that goes on under a new ballot keeps its streams and what is under way") func goesOn() {
    var manager = Self.primary()
    let session = SessionID(1)
    _ = manager.handle(.connected(Self.hello("mux1"), session))
    _ = manager.handle(.request(RequestID(7), Self.network("blue"), dryRun: false, by: Self.author))
    #expect(Self.essence(manager.handle(.becamePrimary(Epoch(2)))) == [.append(.epochBegan(Epoch(2)))])
    let outputs = manager.handle(
      .committed([
        CommittedEntry(revision: Revision(3), entry: .operation(Self.network("blue"), by: Self.author)),
        CommittedEntry(revision: Revision(4), entry: .epochBegan(Epoch(2))),
      ]))
    guard case .reply(RequestID(7), _)? = outputs.first else { Issue.record("\(outputs)"); return }
    // The snapshot was sent in epoch 1, and is acknowledged so.
    let next = manager.handle(.report(.acknowledged(Revision(2), Epoch(1)), session))
    let update = Update(epoch: Epoch(2), revision: Revision(4), isSnapshot: false, commands: [])
    #expect(next == [.send(update, session)])
    #expect(manager.handle(.report(.acknowledged(Revision(4), Epoch(2)), session)) == [])
    #expect(manager.clusterState().nodes.first { $0.node.name == "mux1" }?.revision == Revision(4))
  }

  @Test("revisions that come during an update are joined into the next") func joined() {
    var manager = Self.primary()
    let session = SessionID(1)
    #expect(
      Self.essence(manager.handle(.connected(Self.hello("mux1"), session))) == [
        .accept(session), .send(Self.update(2, isSnapshot: true), session),
      ])
    for revision in 3...5 {
      let operation = Self.network("v\(revision)")
      _ = manager.handle(.request(RequestID(UInt64(revision)), operation, dryRun: false, by: Self.author))
      let outputs = manager.handle(Self.committed(UInt64(revision), operation))
      #expect(outputs.count == 1, "the answer only, no update")
    }
    #expect(
      manager.handle(.report(.acknowledged(Revision(2), Epoch(1)), session)) == [
        .send(Self.update(5), session)
      ])
    #expect(manager.handle(.report(.acknowledged(Revision(5), Epoch(1)), session)) == [])
  }

  @Test(
    "after hello comes a snapshot, whatever the agent runs",
    arguments: [(1, 2), (1, 1), (0, 2), (0, 0), (1, 99)])
  func hello(epoch: UInt64, revision: UInt64) {
    var manager = Self.primary()
    let hello = Self.hello("mux1", epoch: epoch, revision: revision)
    #expect(
      Self.essence(manager.handle(.connected(hello, SessionID(1)))) == [
        .accept(SessionID(1)), .send(Self.update(2, isSnapshot: true), SessionID(1)),
      ])
  }

  @Test("the newer of two streams of one node counts") func newer() {
    var manager = Self.primary()
    _ = manager.handle(.connected(Self.hello("mux1"), SessionID(1)))
    let outputs = Self.essence(manager.handle(.connected(Self.hello("mux1"), SessionID(2))))
    #expect(outputs.first == .close(SessionID(1), "mux1 has opened a newer stream"))
    #expect(manager.handle(.disconnected(SessionID(1))) == [])
    #expect(manager.handle(.report(.acknowledged(Revision(2), Epoch(1)), SessionID(1))) == [])
    #expect(manager.clusterState().nodes.map(\.isConnected) == [true, false])
  }

  @Test("a node that is deleted is told to run nothing, and its stream ends") func deleted() {
    var manager = Self.primary()
    _ = manager.handle(.connected(Self.hello("mux1"), SessionID(1)))
    let deletion = Control.Operation.delete([ResourceKey(.node, "mux1")])
    _ = manager.handle(.request(RequestID(7), deletion, dryRun: false, by: Self.author))
    let outputs = Self.essence(manager.handle(Self.committed(3, deletion)))
    #expect(
      outputs.dropFirst() == [
        .send(Self.update(3, isSnapshot: true), SessionID(1)), .close(SessionID(1), "Node/mux1 was deleted"),
      ])
    #expect(manager.clusterState().nodes.map(\.node.name) == ["mux2"])
  }

  @Test(
    "an answer that cannot be ends the stream",
    arguments: [
      Report.refused(Revision(2), highest: Epoch(1)),
      .acknowledged(Revision(77), Epoch(1)),
      .hello(Hello(node: "mux1", roles: [.mux], epoch: Epoch(1), revision: Revision(2))),
    ])
  func closed(_ report: Report) {
    var manager = Self.primary()
    _ = manager.handle(.connected(Self.hello("mux1"), SessionID(1)))
    let outputs = Self.essence(manager.handle(.report(report, SessionID(1))))
    guard case .close(SessionID(1), _)? = outputs.first else { Issue.record("\(outputs)"); return }
    #expect(outputs.count == 1)
  }

  /// How a primary learns that a node has seen a later one.
  enum Refusal: CaseIterable { case report, hello }

  @Test("a primary that a node refuses orders nothing until its write is chosen", arguments: Refusal.allCases)
  func fenced(_ refusal: Refusal) {
    var manager = Self.primary()
    _ = manager.handle(.connected(Self.hello("mux2"), SessionID(2)))
    _ = manager.handle(.report(.acknowledged(Revision(2), Epoch(1)), SessionID(2)))
    _ = manager.handle(.connected(Self.hello("mux1"), SessionID(1)))
    _ = manager.handle(.request(RequestID(7), Self.network("blue"), dryRun: false, by: Self.author))
    let outputs =
      switch refusal {
      case .report: manager.handle(.report(.refused(Revision(2), highest: Epoch(9)), SessionID(1)))
      case .hello: manager.handle(.connected(Self.hello("mux1", epoch: 9), SessionID(3)))
      }
    #expect(Self.essence(outputs).last == .append(.epochBegan(Epoch(1))))
    // Entries from before are still told, but nobody is sent anything.
    let before = Self.essence(manager.handle(Self.committed(3, Self.network("blue"))))
    #expect(!before.contains { if case .send = $0 { true } else { false } })
    let proof = Input.committed([CommittedEntry(revision: Revision(4), entry: .epochBegan(Epoch(1)))])
    #expect(Self.essence(manager.handle(proof)).contains(.send(Self.update(4), SessionID(2))))
  }

  @Test("keys of datagrams are drawn once, go on after an hour, and reach every node") func keys() {
    var manager = Self.primary()
    _ = manager.handle(.connected(Self.hello("mux1"), SessionID(1)))
    #expect(manager.handle(.tick(milliseconds: 1, wallMilliseconds: 5000)) == [.draw])
    #expect(manager.handle(.tick(milliseconds: 2, wallMilliseconds: 6000)) == [])
    let entry = Entry.keysRotated(low: 1, high: 2, at: 6000)
    #expect(manager.handle(.drawn(low: 1, high: 2)) == [.append(entry)])
    _ = manager.handle(.report(.acknowledged(Revision(2), Epoch(1)), SessionID(1)))
    let outputs = manager.handle(.committed([CommittedEntry(revision: Revision(3), entry: entry)]))
    #expect(outputs == [.send(Self.update(3, [.setKeys(manager.state.keys)]), SessionID(1))])
    #expect(manager.handle(.tick(milliseconds: 3, wallMilliseconds: 3_605_999)) == [])
    #expect(manager.handle(.tick(milliseconds: 4, wallMilliseconds: 3_606_000)) == [.draw])
  }

  @Test("who changed what is kept") func audit() {
    var manager = Self.primary()
    _ = manager.handle(Self.committed(3, Self.network("blue")))
    _ = manager.handle(Self.committed(4, Self.network("blue")))
    let note = Entry.note("added the manager of host1", by: Self.author)
    _ = manager.handle(.committed([CommittedEntry(revision: Revision(5), entry: note)]))
    let records = manager.state.auditRecords.suffix(3)
    #expect(records.map(\.revision.number) == [3, 4, 5])
    #expect(records.map(\.count) == [1, 0, 0])
    #expect(records.first?.items == [.init(key: ResourceKey(.virtualNetwork, "blue"), action: .created)])
    #expect(records.last?.note == "added the manager of host1")
    #expect(ManagerState(ManagerSnapshot(manager.state)) == manager.state)
  }

  @Test("a node that is silent is named once for each update") func late() {
    var manager = Self.primary()
    _ = manager.handle(.tick(milliseconds: 1000))
    _ = manager.handle(.connected(Self.hello("mux1"), SessionID(1)))
    #expect(manager.handle(.tick(milliseconds: 1001)) == [])
    #expect(
      manager.handle(.tick(milliseconds: 11_001)) == [
        .event(.warning, "mux1 has acknowledged nothing for 10 seconds; leases do not wait for it")
      ])
    #expect(manager.handle(.tick(milliseconds: 30_999)) == [])
    #expect(
      manager.handle(.tick(milliseconds: 31_000)) == [
        .event(.warning, "mux1 has not acknowledged revision 2 for 30 seconds")
      ])
    #expect(manager.handle(.tick(milliseconds: 90_000)) == [])
  }

  @Test("who is not primary says so") func follower() {
    var manager = Self.primary()
    _ = manager.handle(.lostPrimary(address: "10.1.2.2:4600"))
    let error = ManagementError.notPrimary(address: "10.1.2.2:4600")
    #expect(
      manager.handle(.request(RequestID(7), Self.network("blue"), dryRun: true, by: Self.author)) == [
        .fail(RequestID(7), error)
      ])
    #expect(
      Self.essence(manager.handle(.connected(Self.hello("mux1"), SessionID(1)))) == [
        .refuse(SessionID(1), error)
      ])
  }

  @Test("too much at once is refused, and goes on when there is room") func overloaded() {
    var manager = Self.primary()
    let deletion = Control.Operation.delete([ResourceKey(.virtualNetwork, "blue")])
    func ask(_ index: Int) -> [Output] {
      manager.handle(
        .request(
          RequestID(UInt64(index) + 10), index % 2 == 0 ? Self.network("blue") : deletion, dryRun: false,
          by: Self.author))
    }
    let limit = 4096
    for index in 0..<limit { #expect(ask(index).count == 1) }
    guard case .fail(_, .overloaded)? = ask(limit).first else {
      Issue.record("there is no limit"); return
    }
    _ = manager.handle(Self.committed(3, Self.network("blue")))
    #expect(ask(limit) == [.append(.operation(Self.network("blue"), by: Self.author))])
  }
}
