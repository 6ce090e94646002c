import Control
import Testing

@testable import Manager

@Suite("The MUXes that leases wait for") struct MuxPoolTests {
  @Test("who acknowledges something older owes the newest still") func debt() {
    var pool = MuxPool(["mux1"], at: Revision(5), ripe: Revision(5))
    pool.sent("mux1", isSnapshot: true)
    let wasLateAtFirst = pool.acknowledged("mux1", Revision(5), owesNothing: true)
    #expect(!wasLateAtFirst)
    pool.sent("mux1", isSnapshot: false)
    let late = [UInt64(1_000), 10_999, 11_000].map { now in
      _ = pool.acknowledged("mux1", Revision(6), owesNothing: false)
      return pool.tick(now)
    }
    #expect(late == [[], [], ["mux1"]])
    let isBackWithOld = pool.acknowledged("mux1", Revision(6), owesNothing: false)
    #expect(!isBackWithOld && pool.isEmpty)
    let isBack = pool.acknowledged("mux1", Revision(7), owesNothing: true)
    #expect(isBack && !pool.isEmpty)
  }
}
