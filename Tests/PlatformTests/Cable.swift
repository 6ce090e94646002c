import Platform

/// Carries packets between two TUN queues as they are, super-packets included, and notes what it saw.
struct Cable: ~Copyable {
  private var pool: FramePool
  /// Bytes of the largest packet.
  private(set) var largest = 0
  /// The gso_type of the largest packet.
  private(set) var superPacketType: UInt8 = 0
  /// Packets the other side did not take.
  private(set) var refused = 0

  init() throws(PlatformError) { pool = try FramePool(count: 1) }

  mutating func carry(from source: borrowing TUNQueue, to destination: borrowing TUNQueue) {
    let start = FramePool.receiveOffset
    while case .bytes(let count) = pool.receive(into: 0, from: source) {
      if count - TUN.vnetHeaderByteCount > largest {
        largest = count - TUN.vnetHeaderByteCount
        superPacketType = pool[0].bytes.unsafeLoad(fromByteOffset: start + 1, as: UInt8.self)
      }
      guard case .bytes(count) = pool.transmit(0, start..<start + count, to: destination) else {
        refused += 1
        continue
      }
    }
  }
}
