import Platform
import Testing
import Wire

struct FramePoolTests {
  @Test func framesAreApartAndLargeEnough() throws {
    var pool = try FramePool(count: 3)
    #expect(FramePool.frameByteCount >= Frame.headroom + 65_535 + 20)
    #expect(FramePool.frameByteCount % 4096 == 0)
    #expect(FramePool.receiveOffset == 54)
    for index in 0..<3 {
      var frame = pool[index]
      frame.storeBytes(of: UInt32(index + 1), toByteOffset: 0, as: UInt32.self)
      frame.storeBytes(of: UInt32(index + 1), toByteOffset: FramePool.frameByteCount - 4, as: UInt32.self)
    }
    for index in 0..<3 {
      let frame = pool[index]
      let first = unsafe frame.bytes.unsafeLoad(fromByteOffset: 0, as: UInt32.self)
      let last = unsafe frame.bytes.unsafeLoad(
        fromByteOffset: FramePool.frameByteCount - 4, as: UInt32.self)
      #expect(first == UInt32(index + 1))
      #expect(last == UInt32(index + 1))
    }
  }

  @Test func twoFramesAtOnce() throws {
    var pool = try FramePool(count: 2)
    pool.withPair(0, 1) { (one: consuming MutableRawSpan, other: consuming MutableRawSpan) in
      one.storeBytes(of: 1, toByteOffset: 64, as: UInt8.self)
      other.storeBytes(of: 2, toByteOffset: 64, as: UInt8.self)
    }
    #expect(pool.byte(64) == 1)
  }

  @Test(arguments: [0, -1, Limits.frames + 1]) func aPoolHasALimit(count: Int) throws {
    let error = try #require(throws: PlatformError.self) { _ = try FramePool(count: count) }
    #expect(error.reason == .invalid)
  }

  @Test func aFrameOutsideThePoolTraps() async {
    await #expect(processExitsWith: .failure) {
      var pool = try FramePool(count: 1)
      _ = pool[1].byteCount
    }
  }
}
