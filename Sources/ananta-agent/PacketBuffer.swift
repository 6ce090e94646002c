internal import Dataplane
internal import Platform
internal import Wire

/// One frame and the system calls that fill and empty it: how a worker's packets come and go.
///
/// A worker needs no more than one, since every packet is written before the next is read.
struct PacketBuffer: ~Copyable {
  /// What a read brought.
  enum Received {
    /// A packet of this many bytes lies in the frame.
    case packet(byteCount: Int)
    /// Nothing more for now.
    case empty
    /// The device is gone.
    case closed
  }

  private var frames: FramePool
  /// Packets the kernel did not take.
  private(set) var refused: UInt64 = 0

  init() throws(PlatformError) { frames = try FramePool(count: 1) }

  /// The frame's bytes, as the packet path takes them.
  var bytes: MutableRawSpan {
    @_lifetime(&self) @inline(always) mutating get { frames[0] }
  }

  /// Reads the next packet of a queue, and what its device left to us.
  @inline(always) mutating func receive(from queue: TUNQueue.Handle, _ offload: inout Offload) -> Received {
    switch frames.receive(into: 0, from: queue) {
    case .wouldBlock: return .empty
    case .failed: return .closed
    case .bytes(let count):
      let byteCount = count &- Offload.byteCount
      guard byteCount >= 0, let frame = Frame(frames[0], byteCount: byteCount) else {
        return .packet(byteCount: 0)
      }
      offload = Offload(frame, at: -Offload.byteCount)
      return .packet(byteCount: byteCount)
    }
  }

  /// Writes `byteCount` bytes from `offset` on, and leaves to the device what `offload` says.
  @inline(always) mutating func transmit(
    offset: Int, byteCount: Int, _ offload: Offload, to queue: TUNQueue.Handle
  ) {
    guard var frame = Frame(frames[0], byteCount: 0) else { return }
    offload.store(in: &frame, at: offset &- Offload.byteCount)
    let first = Frame.headroom &+ offset &- Offload.byteCount
    switch frames.transmit(0, first..<(first &+ Offload.byteCount &+ byteCount), to: queue) {
    case .bytes: break
    case .wouldBlock, .failed: refused &+= 1
    }
  }

  /// A copy of the packet's first bytes, for those that are not on the packet path.
  mutating func copy(_ byteCount: Int) -> [UInt8] {
    guard let frame = Frame(frames[0], byteCount: byteCount) else { return [] }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(byteCount)
    for offset in 0..<byteCount { bytes.append(frame.load(offset, as: UInt8.self)) }
    return bytes
  }

  /// Lays a packet into the frame; false when it is too long.
  mutating func place(_ packet: [UInt8]) -> Bool {
    guard var frame = Frame(frames[0], byteCount: packet.count) else { return false }
    for (offset, byte) in packet.enumerated() { frame.store(byte, at: offset) }
    return true
  }

  /// Writes an encapsulated packet as it is to go over the wire: in segments, with complete checksums.
  ///
  /// Behind an outer header the kernel would drop a super-packet that comes out of a TUN device. False: the
  /// offload made no sense, and nothing was written.
  mutating func transmitSegments(
    offset: Int, byteCount: Int, _ offload: Offload, to queue: TUNQueue.Handle
  ) -> Bool {
    guard
      var segmenter = Segmenter(frames[0], offset: offset, byteCount: byteCount, offload: offload)
    else { return false }
    while let segment = segmenter.next(frames[0]) {
      transmit(offset: segment.offset, byteCount: segment.byteCount, Offload(), to: queue)
    }
    return true
  }
}
