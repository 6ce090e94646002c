import Control
import Manager
import Testing
import Wire

/// A primary that goes on in a higher epoch after a change of who votes, and one that has to prove itself while older
/// writes are on their way.
@Suite("A primary that goes on") struct ContinuationTests {
  private static let author = Author(name: "alice", at: 1_000)
  private static let muxes = Control.Operation.apply([
    .node(Node(name: "mux1", address: ip("10.1.1.2"), roles: [.mux]))
  ])
  private static let blue = Control.Operation.apply([
    .virtualNetwork(VirtualNetwork(name: "blue", prefixes: [prefix("10.0.0.0/24")]))
  ])

  private static func entry(_ revision: UInt64, _ entry: Entry) -> Input {
    .committed([CommittedEntry(revision: Revision(revision), entry: entry)])
  }

  /// A primary in epoch 1 at revision 2, with a stream that has been sent that revision.
  private static func primary() -> Manager {
    var manager = Manager(ManagerState())
    _ = manager.handle(.becamePrimary(Epoch(1)))
    _ = manager.handle(.request(RequestID(1), muxes, dryRun: false, by: author))
    _ = manager.handle(entry(1, .epochBegan(Epoch(1))))
    _ = manager.handle(entry(2, .operation(muxes, by: author)))
    _ = manager.handle(
      .connected(
        Hello(node: "mux1", roles: [.mux], epoch: Epoch(1), revision: Revision(0)), SessionID(1)))
    return manager
  }

  @Test("what is under way stays under way, and is answered once, by its own entry") func keepsRequests() {
    var manager = Self.primary()
    _ = manager.handle(.request(RequestID(7), Self.blue, dryRun: false, by: Self.author))
    let outputs = manager.handle(.becamePrimary(Epoch(2)))
    #expect(outputs.contains(.append(.epochBegan(Epoch(2)))))
    let answers = manager.handle(Self.entry(3, .operation(Self.blue, by: Self.author)))
    guard case .reply(RequestID(7), let outcome)? = answers.first else {
      Issue.record("\(answers)"); return
    }
    #expect(outcome.revision == Revision(3))
    let others = manager.handle(Self.entry(4, .epochBegan(Epoch(2))))
    #expect(!others.contains { if case .reply = $0 { true } else { false } })
  }

  @Test("an acknowledgement of the epoch before counts, and the next update follows") func keepsStreams() {
    var manager = Self.primary()
    _ = manager.handle(.becamePrimary(Epoch(2)))
    _ = manager.handle(Self.entry(3, .epochBegan(Epoch(2))))
    let outputs = manager.handle(.report(.acknowledged(Revision(2), Epoch(1)), SessionID(1)))
    let update = Update(epoch: Epoch(2), revision: Revision(3), isSnapshot: false, commands: [])
    #expect(outputs == [.send(update, SessionID(1))])
  }

  @Test("a beginning of the epoch that was on its way before proves nothing") func provesAnew() {
    var manager = Manager(ManagerState())
    _ = manager.handle(.becamePrimary(Epoch(1)))
    let hello = Hello(node: "mux1", roles: [.mux], epoch: Epoch(9), revision: Revision(0))
    _ = manager.handle(.request(RequestID(1), Self.muxes, dryRun: false, by: Self.author))
    _ = manager.handle(Self.entry(1, .epochBegan(Epoch(1))))
    _ = manager.handle(Self.entry(2, .operation(Self.muxes, by: Self.author)))
    _ = manager.handle(.becamePrimary(Epoch(2)))
    let contradiction = manager.handle(.connected(hello, SessionID(1)))
    #expect(contradiction.contains(.append(.epochBegan(Epoch(2)))))
    _ = manager.handle(
      .connected(Hello(node: "mux1", roles: [.mux], epoch: Epoch(1), revision: Revision(0)), SessionID(2)))
    func isOrdering(_ outputs: [Output]) -> Bool {
      outputs.contains { if case .send = $0 { true } else { false } }
    }
    #expect(!isOrdering(manager.handle(Self.entry(3, .epochBegan(Epoch(2))))))
    #expect(isOrdering(manager.handle(Self.entry(4, .epochBegan(Epoch(2))))))
  }

  @Test("who has to prove itself orders nothing, not even that a node which was deleted forgets all")
  func dismissesWhenProven() {
    var manager = Self.primary()
    let deletion = Control.Operation.delete([ResourceKey(.node, "mux1")])
    _ = manager.handle(.request(RequestID(7), deletion, dryRun: false, by: Self.author))
    let stranger = Hello(node: "mux9", roles: [.mux], epoch: Epoch(9), revision: Revision(0))
    #expect(manager.handle(.connected(stranger, SessionID(2))).contains(.append(.epochBegan(Epoch(1)))))
    func orders(_ outputs: [Output]) -> [Update] {
      outputs.compactMap { if case .send(let update, SessionID(1)) = $0 { update } else { nil } }
    }
    let deleted = manager.handle(Self.entry(3, .operation(deletion, by: Self.author)))
    #expect(orders(deleted).isEmpty)
    #expect(!deleted.contains { if case .close = $0 { true } else { false } })
    let proven = manager.handle(Self.entry(4, .epochBegan(Epoch(1))))
    let farewell = Update(epoch: Epoch(1), revision: Revision(4), isSnapshot: true, commands: [])
    #expect(orders(proven) == [farewell])
    #expect(proven.contains(.close(SessionID(1), "Node/mux1 was deleted")))
  }

  @Test("a node that is deleted and made again meanwhile comes again for a snapshot") func madeAgain() {
    var manager = Self.primary()
    let deletion = Control.Operation.delete([ResourceKey(.node, "mux1")])
    _ = manager.handle(.request(RequestID(7), deletion, dryRun: false, by: Self.author))
    _ = manager.handle(.request(RequestID(8), Self.muxes, dryRun: false, by: Self.author))
    let stranger = Hello(node: "mux9", roles: [.mux], epoch: Epoch(9), revision: Revision(0))
    _ = manager.handle(.connected(stranger, SessionID(2)))
    _ = manager.handle(Self.entry(3, .operation(deletion, by: Self.author)))
    let outputs = manager.handle(Self.entry(4, .operation(Self.muxes, by: Self.author)))
    #expect(outputs.contains { if case .close(SessionID(1), _) = $0 { true } else { false } })
    #expect(!outputs.contains { if case .send = $0 { true } else { false } })
  }
}
