import Control
import Testing
import Wire

@testable import ananta_agent

@Suite struct KeptStateTests {
  @Test(arguments: UInt64(0)..<40) func itsRecordsGiveTheSameAgain(seed: UInt64) {
    var script = PortScript(seed: seed)
    var kept = KeptState()
    for _ in 0..<100 {
      _ = kept.apply(script.update())
      if script.pick(3) == 0 { _ = kept.giveBack([script.lease()]) }
      var again = KeptState()
      for record in kept.records { again.take(record) }
      #expect(again == kept)
    }
  }

  @Test func whatWasGivenBackComesNotAgainUntilItsEnd() throws {
    let lease = PortScript.lease(0, of: 1)
    var kept = KeptState()
    #expect(kept.giveBack([lease]).isEmpty)
    _ = kept.apply(update(1, [.leasePortRange(lease)]))
    #expect(kept.giveBack([lease, lease]) == [lease])
    #expect(kept.giveBack([lease]).isEmpty)
    _ = kept.apply(update(2, [.leasePortRange(lease)]))
    #expect(kept.returned == [lease])
    _ = kept.apply(update(3, [.leasePortRange(lease)], isSnapshot: true))
    #expect(kept.returned == [lease])
    _ = kept.apply(update(4, [.endPortRange(lease), .leasePortRange(lease)]))
    #expect(kept.returned.isEmpty)
    _ = kept.giveBack([lease])
    _ = kept.apply(update(5, [], isSnapshot: true))
    #expect(kept.returned.isEmpty)
    _ = kept.apply(update(6, [.leasePortRange(lease)]))
    _ = kept.giveBack([lease])
    _ = kept.apply(update(7, [.removeMachine(lease.locator)]))
    #expect(kept.returned.isEmpty)
  }

  @Test func onlyWhatHarmsNobodyMayBeForgotten() {
    let lease = PortScript.lease(0, of: 1)
    #expect(update(1, [.leasePortRange(lease)]).mayBeForgotten)
    #expect(!update(1, [.leasePortRange(lease), .endPortRange(lease)]).mayBeForgotten)
    #expect(!update(1, [.leasePortRange(lease)], isSnapshot: true).mayBeForgotten)
    #expect(update(1, [.recallPortRange(lease), .setPortRange(lease)]).isOfPorts)
    #expect(!update(1, [.recallPortRange(lease), .withdraw(lease.range.vip)]).isOfPorts)
  }

  private func update(_ revision: UInt64, _ commands: [Command], isSnapshot: Bool = false) -> Update {
    Update(epoch: Epoch(1), revision: Revision(revision), isSnapshot: isSnapshot, commands: commands)
  }
}
