#if !KERNEL
import Wire

/// Splits a super-packet into the packets it stands for, in place and without copying its payload, and completes
/// their checksums; plain or encapsulated once by IPIP, TCP or UDP.
///
/// ```
///  headers|payload 0|payload 1|payload 2         as it came
///  headers|payload 0|                            next() = 0; the caller writes it out
///    ... headers|payload 1|                      next() = 1; its headers overwrite what has left already
///               ... headers|payload 2|           next() = 2
/// ```
/// So a segment must have left before the next one is asked for. A packet that is none of these yields itself, as
/// its only segment, with its checksum completed. A worker needs no other case:
///
/// ```
/// guard var segmenter = Segmenter(buffer, offset: offset, byteCount: byteCount, offload: offload) else { drop }
/// while let segment = segmenter.next(buffer) { write(segment) }
/// ```
/// `offload` counts from the outermost header, as the device would read it. After the segmenter nothing is left
/// to the device. Corresponds to the kernel's `ipip_gso_segment`, `tcp_gso_segment`, `udp_gso_segment`.
public struct Segmenter: BitwiseCopyable, Sendable {
  /// Packets that one super-packet may stand for.
  ///
  /// 64 KB in segments of 48 bytes, the smallest that Linux sends (`tcp_min_snd_mss`), are 1,365; more are an
  /// attempt to have small input cause much work.
  public static var mostSegments: Int { 1400 }
  /// The longest headers, in words: outer and inner IPv4, TCP with all options.
  @inline(always) static var mostHeaderWords: Int { 25 }

  /// The headers as they came; the words behind them are payload and not used.
  private var template: InlineArray<25, UInt32>
  private let start: Int
  private let headerWords: Int
  private let payload: Int
  private let segmentBytes: Int
  private let transport: Int
  private let isUDP: Bool
  private let isWhole: Bool
  /// Of the addresses and the protocol.
  private let pseudoHeader: InternetChecksum
  private var done = 0
  /// How many packets come out.
  public let count: Int

  /// Reads the headers of a packet; nil when what the device asks for makes no sense (`DropReason.offload`).
  ///
  /// - Parameters:
  ///   - buffer: as a `Frame` wants it.
  ///   - offset: of the outermost header, -20 for one laid before the packet, not less than -`Frame.headroom`.
  ///   - byteCount: from the outermost header on.
  ///   - offload: what the device left to do.
  #if !DEBUG
  @_noLocks
  #endif
  public init?(
    _ buffer: consuming MutableRawSpan, offset: Int, byteCount: Int, offload: Offload
  ) {
    guard byteCount > 0, offset >= -Frame.headroom, offset <= Frame.headroom else { return nil }
    guard var frame = Frame(buffer, byteCount: max(0, offset &+ byteCount)) else { return nil }
    start = offset
    template = InlineArray(repeating: 0)
    guard offload.isSuperPacket else {
      guard Self.complete(&frame, offset: offset, byteCount: byteCount, offload: offload) else { return nil }
      headerWords = 0
      payload = byteCount
      segmentBytes = byteCount
      transport = 0
      isUDP = false
      isWhole = true
      pseudoHeader = InternetChecksum()
      count = 1
      return
    }
    guard let headers = SuperPacketHeaders(frame, offset: offset, byteCount: byteCount, offload: offload)
    else {
      return nil
    }
    let size = Int(offload.gsoSize)
    let rest = byteCount &- headers.byteCount
    let segments = max(1, (rest &+ size &- 1) / size)
    guard segments <= Self.mostSegments else { return nil }
    headerWords = headers.byteCount &>> 2
    payload = rest
    segmentBytes = size
    transport = headers.transport
    isUDP = headers.isUDP
    isWhole = false
    pseudoHeader = headers.pseudoHeader(frame, at: offset)
    count = segments
    for word in 0..<Self.mostHeaderWords { template[word] = frame.load(offset &+ 4 &* word, as: UInt32.self) }
  }

  /// Lays the headers of the next segment before its payload; nil when there are no more.
  ///
  /// - Parameter buffer: the same as at the start, with nothing but `next` having changed it.
  /// - Returns: where the segment lies.
  #if !DEBUG
  @_noLocks
  #endif
  public mutating func next(_ buffer: consuming MutableRawSpan) -> Segment? {
    guard done < count else { return nil }
    let number = done
    done &+= 1
    guard !isWhole else { return Segment(offset: start, byteCount: payload) }
    let headerBytes = headerWords &* 4
    guard var frame = Frame(buffer, byteCount: max(0, start &+ headerBytes &+ payload)) else { return nil }
    let first = number &* segmentBytes
    let size = min(segmentBytes, payload &- first)
    let at = start &+ first
    for word in 0..<headerWords { frame.store(template[word], at: at &+ 4 &* word) }
    let inner = transport &- IPv4Header.byteCount
    if inner != 0 { amend(&frame, header: at, number: number, byteCount: headerBytes &+ size) }
    amend(&frame, header: at &+ inner, number: number, byteCount: headerBytes &+ size &- inner)
    finish(&frame, transport: at &+ transport, number: number, byteCount: headerBytes &+ size &- transport)
    return Segment(offset: at, byteCount: headerBytes &+ size)
  }

  /// Length, identification and checksum of an IPv4 header.
  @inline(always) private func amend(_ frame: inout Frame, header: Int, number: Int, byteCount: Int) {
    frame.store16(UInt16(truncatingIfNeeded: byteCount), at: header &+ 2)
    let identification = frame.load16(header &+ 4) &+ UInt16(truncatingIfNeeded: number)
    frame.store16(identification, at: header &+ 4)
    frame.store(UInt16(0), at: header &+ 10)
    var sum = InternetChecksum()
    for word in 0..<5 { sum.add(frame.load(header &+ 4 &* word, as: UInt32.self)) }
    frame.store(sum.value, at: header &+ 10)
  }

  /// What differs from segment to segment in the transport header, and its checksum.
  @inline(always) private func finish(
    _ frame: inout Frame, transport: Int, number: Int, byteCount: Int
  ) {
    let field: Int
    if isUDP {
      frame.store16(UInt16(truncatingIfNeeded: byteCount), at: transport &+ 4)
      field = transport &+ UDPHeader.checksumOffset
    } else {
      let header = TCPHeader(at: transport)
      let passed = UInt32(truncatingIfNeeded: number &* segmentBytes)
      frame.store32(header.sequence(frame) &+ passed, at: transport &+ 4)
      var flags = header.flags(frame).rawValue
      // CWR answers one ECN echo and stays on the first (RFC 3168 §6.1.2); FIN and PSH concern the last byte.
      if number > 0 { flags &= ~0x80 }
      if number &+ 1 < count { flags &= ~0x09 }
      frame.store(flags, at: transport &+ 13)
      field = transport &+ TCPHeader.checksumOffset
    }
    frame.store(UInt16(0), at: field)
    var sum = pseudoHeader
    sum.add(UInt16(truncatingIfNeeded: byteCount).bigEndian)
    sum.add(frame, from: transport, byteCount: byteCount)
    let value = sum.value
    frame.store(isUDP && value == 0 ? 0xffff : value, at: field)
  }

  /// Completes a checksum that the device left begun, of a packet that is no super-packet.
  ///
  /// - Returns: what is left to the device then, which is nothing; nil when `offload` makes no sense.
  #if !DEBUG
  @_noLocks
  #endif
  public static func complete(
    _ buffer: consuming MutableRawSpan, offset: Int, byteCount: Int, offload: Offload
  ) -> Offload? {
    guard byteCount > 0, offset >= -Frame.headroom, offset <= Frame.headroom, !offload.isSuperPacket,
      var frame = Frame(buffer, byteCount: max(0, offset &+ byteCount)),
      complete(&frame, offset: offset, byteCount: byteCount, offload: offload)
    else { return nil }
    return Offload()
  }

  /// The sum from `checksumStart` to the end, with what the field holds already, is the checksum's complement.
  @inline(always) private static func complete(
    _ frame: inout Frame, offset: Int, byteCount: Int, offload: Offload
  ) -> Bool {
    guard offload.isPartial else { return true }
    let first = Int(offload.checksumStart)
    let field = first &+ Int(offload.checksumOffset)
    guard first >= IPv4Header.byteCount, field &+ 2 <= byteCount else { return false }
    var sum = InternetChecksum()
    sum.add(frame, from: offset &+ first, byteCount: byteCount &- first)
    let value = sum.value
    let isUDP = Int(offload.checksumOffset) == UDPHeader.checksumOffset
    frame.store(isUDP && value == 0 ? 0xffff : value, at: offset &+ field)
    return true
  }
}
#endif
