import Control
import Dataplane
import Testing
import Wire

@testable import ananta_agent

@Suite struct MuxPortsTests {
  private func leases(_ ports: MuxPorts) -> [PortRange: IPv4Address] {
    var all: [PortRange: IPv4Address] = [:]
    for lease in ports.ranges.leases {
      if let range = PortRange(lease.range) { all[range] = lease.locator }
    }
    return all
  }

  @Test func itHasWhatTheManagerSaid() {
    // A whole table of two million words is looked through for each snapshot.
    for seed in UInt64(0)..<2 {
      var script = PortScript(seed: seed)
      var kept = KeptState()
      var ports = MuxPorts(SNATRanges())
      for _ in 0..<200 {
        let before = Set(ports.vips)
        let update = script.update()
        _ = kept.apply(update)
        if script.pick(100) == 0 {
          ports.become(kept.state.portRanges)
        } else {
          let isOther = ports.carryOut(update.commands)
          // Within one update a VIP may go and come again.
          if Set(ports.vips) != before { #expect(isOther) }
        }
        #expect(Set(ports.vips) == Set(kept.state.portRanges.keys.map(\.vip)))
        #expect(ports.problems.isEmpty)
      }
      #expect(leases(ports) == kept.state.portRanges)
    }
  }

  @Test func whatAnotherProcessLeftIsTakenOverAndPutRight() throws {
    let ranges = SNATRanges()
    let stale = PortScript.lease(4, of: 1)
    let moved = PortScript.lease(2, of: 1)
    for lease in [stale, moved] { try ranges.lease(SNATRange(lease.range), to: lease.locator) }
    var ports = MuxPorts(ranges)
    let other = IPv4Address(10, 1, 0, 9)
    ports.become([moved.range: other])
    #expect(leases(ports) == [moved.range: other])
  }

  @Test func whatCannotBeTakenUpIsNamedAndTriedAgain() {
    var ports = MuxPorts(SNATRanges())
    let lease = PortScript.lease(0, of: 1)
    _ = ports.carryOut([.setPortRange(PortLease(lease.range, to: .any))])
    #expect(ports.problems.first?.contains("\(lease.range)") == true)
    ports.retry()
    #expect(!ports.problems.isEmpty)
    _ = ports.carryOut([.setPortRange(lease)])
    #expect(ports.problems.isEmpty)
    #expect(leases(ports) == [lease.range: lease.locator])
  }
}
