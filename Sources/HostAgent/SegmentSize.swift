import Wire

/// The maximum segment size that a SYN announces (RFC 9293 §3.7.1, option kind 2), lowered so that segments
/// fit into the underlay together with an outer header (Ananta §4).
enum SegmentSize {
  /// Lowers every MSS option above `limit`; survives any bytes.
  ///
  /// The caller knows that the header, with as many bytes as it says it has, lies within the packet.
  @inline(always) static func clamp(
    _ frame: inout Frame, transport: Int, to limit: UInt16, isPartial: Bool
  ) {
    let end = transport &+ TCPHeader(at: transport).headerLength(frame)
    var at = transport &+ TCPHeader.byteCount
    while at &+ 4 <= end {
      let kind = frame.load(at, as: UInt8.self)
      if kind == 0 { return }
      if kind == 1 {
        at &+= 1
        continue
      }
      let length = Int(frame.load(at &+ 1, as: UInt8.self))
      guard length >= 2, at &+ length <= end else { return }
      if kind == 2 && length == 4 {
        lower(&frame, at: at &+ 2, transport: transport, to: limit, isPartial: isPartial)
      }
      at &+= length
    }
  }

  @inline(always) private static func lower(
    _ frame: inout Frame, at offset: Int, transport: Int, to limit: UInt16, isPartial: Bool
  ) {
    guard frame.load16(offset) > limit else { return }
    let before = frame.load(offset, as: UInt16.self)
    frame.store16(limit, at: offset)
    guard !isPartial else { return }
    // At an odd place the value is summed as the halves of two words, which is as if its bytes were swapped.
    let isOdd = (offset &- transport) & 1 != 0
    var change = InternetChecksum()
    change.add(isOdd ? (~before).byteSwapped : ~before)
    change.add(isOdd ? limit.bigEndian.byteSwapped : limit.bigEndian)
    Translation.amend(&frame, checksumAt: transport &+ TCPHeader.checksumOffset, by: change)
  }
}
