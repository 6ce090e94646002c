internal import Glibc
public import Wire

/// Buffers for packets, in one mapping that is made once: the packet path takes its memory from here alone.
///
/// ```
///  0                54            64                                                   byteCount
///  |<-- room ------>|<-- vnet -->|<-- packet, up to 64 KiB -->|<-- room -------------->|
/// ```
/// A packet begins behind `Frame.headroom`; its virtio-net header lies right before it, so that a header of
/// encapsulation and a new virtio-net header can be put in front without moving a byte.
@safe public struct FramePool: ~Copyable {
  /// Bytes of a frame: 66 KiB, for headroom, a 64 KiB packet and a header of encapsulation, in whole pages.
  @inline(always) public static var frameByteCount: Int { 17 * 4096 }
  /// Where `receive` puts the virtio-net header, so that the packet behind it begins at `Frame.headroom`.
  @inline(always) public static var receiveOffset: Int { Frame.headroom &- TUN.vnetHeaderByteCount }

  /// The number of frames.
  public let count: Int
  @usableFromInline let base: UnsafeMutableRawPointer
  private let mappedByteCount: Int

  /// Maps `count` frames, 1 to `Limits.frames`, zeroed; asks the kernel for huge pages.
  public init(count: Int) throws(PlatformError) {
    guard (1...Limits.frames).contains(count) else {
      throw PlatformError(
        "map", "\(count) frames", Errno(rawValue: EINVAL), reason: .invalid,
        advice: "A pool has 1 to \(Limits.frames) frames.")
    }
    let hugePage = 2 << 20
    let size = (count * Self.frameByteCount + hugePage - 1) / hugePage * hugePage
    let mapping = unsafe mmap(
      nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    guard let mapping = unsafe mapping, unsafe mapping != MAP_FAILED else {
      throw PlatformError("map", "\(count) frames of \(Self.frameByteCount) bytes", .current)
    }
    // A wish only: without huge pages the pool costs TLB misses, nothing else.
    unsafe madvise(mapping, size, MADV_HUGEPAGE)
    self.count = count
    self.mappedByteCount = size
    unsafe self.base = mapping
  }

  deinit { unsafe munmap(base, mappedByteCount) }

  /// A frame's bytes.
  ///
  /// The index is less than `count`.
  public subscript(index: Int) -> MutableRawSpan {
    @_lifetime(&self) @inline(always) mutating get {
      let span = unsafe MutableRawSpan(_unsafeStart: address(index), byteCount: Self.frameByteCount)
      return unsafe _overrideLifetime(span, mutating: &self)
    }
  }

  /// A frame's bytes for a system call; valid as long as the pool, and nobody may hold its span meanwhile.
  @unsafe @inline(always) public func bytes(_ index: Int) -> UnsafeMutableRawBufferPointer {
    unsafe UnsafeMutableRawBufferPointer(start: address(index), count: Self.frameByteCount)
  }

  /// Works on two different frames at once, as segmentation does.
  @inline(always) public mutating func withPair<Result>(
    _ first: Int, _ second: Int, _ body: (consuming MutableRawSpan, consuming MutableRawSpan) -> Result
  ) -> Result {
    precondition(first != second, "a pair of frames has two")
    let one = unsafe MutableRawSpan(_unsafeStart: address(first), byteCount: Self.frameByteCount)
    let other = unsafe MutableRawSpan(_unsafeStart: address(second), byteCount: Self.frameByteCount)
    return body(one, other)
  }

  /// Takes a packet from a queue into a frame, virtio-net header at `receiveOffset`.
  ///
  /// The bytes reported include the header.
  @inline(always) public mutating func receive(
    into index: Int, from queue: TUNQueue.Handle
  ) -> TransferResult {
    unsafe queue.read(into: UnsafeMutableRawBufferPointer(rebasing: bytes(index)[Self.receiveOffset...]))
  }

  /// Where `receive` puts the virtio-net header of a packet that comes with an Ethernet header, so that the IPv4
  /// packet begins at `Frame.headroom`.
  @inline(always) public static var captureOffset: Int { receiveOffset &- PacketSocket.linkHeaderByteCount }

  /// Takes a packet from a packet socket into a frame, virtio-net header at `captureOffset`.
  ///
  /// The bytes reported include both headers.
  @inline(always) public mutating func receive(
    into index: Int, from socket: PacketSocket.Handle
  ) -> TransferResult {
    unsafe socket.read(into: UnsafeMutableRawBufferPointer(rebasing: bytes(index)[Self.captureOffset...]))
  }

  /// Gives the bytes of a frame that lie in `range`, virtio-net header first, to a queue.
  @inline(always) public borrowing func transmit(
    _ index: Int, _ range: Range<Int>, to queue: TUNQueue.Handle
  ) -> TransferResult {
    precondition(range.lowerBound >= 0 && range.upperBound <= Self.frameByteCount, "range within a frame")
    return unsafe queue.write(
      UnsafeRawBufferPointer(start: address(index) + range.lowerBound, count: range.count))
  }

  /// Gives the bytes of a frame that lie in `range`, virtio-net header and Ethernet header first, to a packet socket.
  @inline(always) public borrowing func transmit(
    _ index: Int, _ range: Range<Int>, to socket: PacketSocket.Handle
  ) -> TransferResult {
    precondition(range.lowerBound >= 0 && range.upperBound <= Self.frameByteCount, "range within a frame")
    return unsafe socket.write(
      UnsafeRawBufferPointer(start: address(index) + range.lowerBound, count: range.count))
  }

  @inlinable func address(_ index: Int) -> UnsafeMutableRawPointer {
    precondition(index >= 0 && index < count, "no such frame")
    return unsafe base + index &* Self.frameByteCount
  }
}
