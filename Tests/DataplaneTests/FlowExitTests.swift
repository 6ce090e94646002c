import Dataplane
import Testing

struct FlowExitTests {
  @Test(
    arguments: [(1, 0x0a00_0001, 0), (1 << 20 - 1, 0xffff_ffff, 4_095), (77, 0, 5_000)]
      as [(UInt32, UInt32, UInt64)])
  func holdsWhatWasPacked(device: UInt32, neighbour: UInt32, time: UInt64) throws {
    let exit = try #require(FlowExit(device: device, neighbour: neighbour, time: time))
    #expect(exit.device == device)
    #expect(exit.neighbour == neighbour)
    #expect(exit.isFresh(at: time))
    #expect(!exit.isFresh(at: time + 1))
    #expect(!exit.isFresh(at: time + 4_095))
  }

  @Test func nothingIsNeverFresh() {
    #expect((0..<5_000).allSatisfy { !FlowExit(raw: 0).isFresh(at: $0) })
  }

  @Test func aDeviceThatDoesNotFitIsNoExit() {
    #expect(FlowExit(device: 1 << 20, neighbour: 1, time: 1) == nil)
  }
}
