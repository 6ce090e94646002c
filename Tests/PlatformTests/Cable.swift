import Platform

/// Carries packets between two TUN queues as they are, super-packets included, and notes what it saw.
struct Cable: ~Copyable {
  private var pool: FramePool
  /// Bytes of the largest packet, its gso_type, and packets the other side did not take.
  private(set) var seen = (largest: 0, gsoType: UInt8(0), refused: 0)

  init() throws(PlatformError) { pool = try FramePool(count: 1) }

  mutating func carry(from source: borrowing TUNQueue, to destination: borrowing TUNQueue) {
    let start = FramePool.receiveOffset
    while case .bytes(let count) = pool.receive(into: 0, from: source.handle) {
      if count - TUN.vnetHeaderByteCount > seen.largest {
        seen.largest = count - TUN.vnetHeaderByteCount
        seen.gsoType = pool.byte(start + 1)
      }
      guard case .bytes(count) = pool.transmit(0, start..<start + count, to: destination.handle) else {
        seen.refused += 1
        continue
      }
    }
  }
}

extension FramePool {
  /// One byte of the first frame.
  mutating func byte(_ offset: Int) -> UInt8 {
    let frame = self[0]
    return unsafe frame.bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
  }
}

extension TUN {
  struct NoQueue: Error {}

  /// The next queue, which must be there.
  mutating func queue() throws -> TUNQueue {
    guard let queue = takeQueue() else { throw NoQueue() }
    return queue
  }

  /// What a copyable value can say of the device: expectations cannot hold a noncopyable one.
  var facts: (name: String, index: Int32, offloads: TUNOffloads, wasPresent: Bool, queueCount: Int) {
    (name, index, offloads, wasPresent, queueCount)
  }
}
