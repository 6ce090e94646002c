#if !KERNEL
import Wire

/// Joins TCP segments that follow one another into a super-packet: generic receive offload in user space, the
/// reverse of `Segmenter`.
///
/// ```
///  packet   outer|headers|payload 1|               offer() = joined
///                            |
///  pending  headers|payload 0|payload 1|           take() completes the headers
/// ```
/// The pending super-packet lies in a buffer of its own, its IPv4 header at 0 as a `Frame` counts. A worker
/// offers every packet, and takes at the end of its batch, so that nothing waits for packets that may never come:
///
/// ```
/// for packet in batch {
///   var answer = coalescer.offer(packet, …)
///   if answer == .conflict { write(coalescer.take(pending)); answer = coalescer.offer(packet, …) }
///   if answer == .unsuitable { write(coalescer.take(pending)); write(packet) }
/// }
/// write(coalescer.take(pending))
/// ```
/// It is as strict as the kernel's `inet_gro_receive` and `tcp_gro_receive`: the segmenter gives the same packets
/// back, but for identifications where DF is set. What nothing was joined to is given back as it came.
public struct Coalescer: BitwiseCopyable, Sendable {
  /// What became of a packet.
  public enum Answer: BitwiseCopyable, Sendable {
    /// It is in the pending super-packet; nothing is to be written for it.
    case joined
    /// It does not continue the pending super-packet: take that and write it, then offer the packet again.
    case conflict
    /// It is to be written as it is, after the pending super-packet, if there is one.
    ///
    /// No TCP, no data, a flag that is an event, a super-packet, or damaged: whoever receives it will see that.
    /// Also the last of a burst (PSH, FIN) that continues nothing: copying it would be in vain.
    case unsuitable
  }

  /// How many packets were joined; 0 when nothing is pending.
  private var segments = 0
  /// Bytes from the IPv4 header on.
  private var byteCount = 0
  private var headerByteCount = 0
  /// Data of the first segment, and of all others but the last, which may have less.
  private var segmentBytes = 0
  /// FIN and PSH of the last segment.
  private var endFlags: UInt8 = 0
  private var isComplete = false
  private var machine: UInt32 = 0
  /// Of the first segment.
  private var offload = Offload()

  /// Starts with nothing pending.
  public init() {}

  /// Whether `take` has something to give.
  public var isPending: Bool { segments > 0 }

  /// Joins a packet to the pending super-packet, or begins one with it.
  ///
  /// - Parameters:
  ///   - packet: as a `Frame` wants it; it is only read.
  ///   - offset: of the IPv4 header, -`Frame.headroom` to `Frame.headroom`, 20 behind an outer header.
  ///   - byteCount: from the IPv4 header on.
  ///   - offload: what the device left to do, counted from the IPv4 header on.
  ///   - machine: whom it is for; packets of different machines are not joined.
  ///   - pending: another buffer, always the same until `take`.
  /// - Returns: what is to be done about the packet.
  #if !DEBUG
  @_noLocks
  #endif
  public mutating func offer(
    _ packet: consuming MutableRawSpan, offset: Int, byteCount: Int, offload: Offload, machine: UInt32,
    into pending: consuming MutableRawSpan
  ) -> Answer {
    guard offset >= -Frame.headroom, offset <= Frame.headroom, byteCount <= Limits.coalescedBytes,
      byteCount > IPv4Header.byteCount &+ TCPHeader.byteCount,
      let frame = Frame(packet, byteCount: max(0, offset &+ byteCount)),
      let segment = BulkSegment(frame, at: offset, byteCount: byteCount, offload: offload)
    else { return .unsuitable }
    let size = isPending ? self.byteCount &+ segment.payload : byteCount
    guard var target = Frame(pending, byteCount: min(size, Limits.coalescedBytes)) else {
      return isPending && !segment.isLast ? .conflict : .unsuitable
    }
    guard isPending else {
      guard !segment.isLast, segment.isIntact(frame, offload: offload) else { return .unsuitable }
      target.copy(byteCount, of: frame, from: offset, to: 0)
      begin(segment, offload: offload, machine: machine)
      return .joined
    }
    guard !isComplete, machine == self.machine, segments < Limits.coalescedSegments,
      size <= Limits.coalescedBytes, segment.payload <= segmentBytes,
      segment.follows(target, byteCount: self.byteCount, segments: segments, frame)
    else { return segment.isLast ? .unsuitable : .conflict }
    guard segment.isIntact(frame, offload: offload) else { return .unsuitable }
    target.copy(segment.payload, of: frame, from: offset &+ headerByteCount, to: self.byteCount)
    self.byteCount = size
    segments &+= 1
    endFlags = segment.endFlags
    isComplete = segment.isLast || segment.payload < segmentBytes
    return .joined
  }

  @inline(always) private mutating func begin(_ segment: BulkSegment, offload: Offload, machine: UInt32) {
    segments = 1
    byteCount = segment.byteCount
    headerByteCount = segment.headerByteCount
    segmentBytes = segment.payload
    endFlags = 0
    isComplete = false
    self.machine = machine
    self.offload = offload
  }

  /// Completes the headers of the pending super-packet, after which nothing is pending; nil when nothing was.
  ///
  /// - Parameter pending: the buffer that was given to `offer`.
  /// - Returns: what to write, to whom, and what is left to the device that takes it.
  #if !DEBUG
  @_noLocks
  #endif
  public mutating func take(
    _ pending: consuming MutableRawSpan
  ) -> (machine: UInt32, offset: Int, byteCount: Int, offload: Offload)? {
    guard isPending, var frame = Frame(pending, byteCount: byteCount) else { return nil }
    let count = segments
    segments = 0
    guard count > 1 else { return (machine, 0, byteCount, offload) }
    frame.store16(UInt16(truncatingIfNeeded: byteCount), at: 2)
    frame.store(UInt16(0), at: 10)
    var sum = InternetChecksum()
    sum.add(frame, from: 0, byteCount: IPv4Header.byteCount)
    frame.store(sum.value, at: 10)
    let transport = TCPHeader(at: IPv4Header.byteCount)
    frame.store(transport.flags(frame).rawValue | endFlags, at: transport.offset &+ 13)
    let pseudoHeader = BulkSegment.pseudoHeader(
      frame, at: 0, byteCount: byteCount &- IPv4Header.byteCount)
    transport.setChecksum(pseudoHeader.folded, &frame)
    var request = Offload()
    request.flags = Offload.needsChecksum
    request.gsoType = Offload.gsoTCPv4
    request.headerLength = UInt16(truncatingIfNeeded: headerByteCount)
    request.gsoSize = UInt16(truncatingIfNeeded: segmentBytes)
    request.checksumStart = UInt16(truncatingIfNeeded: IPv4Header.byteCount)
    request.checksumOffset = UInt16(truncatingIfNeeded: TCPHeader.checksumOffset)
    return (machine, 0, byteCount, request)
  }
}
#endif
