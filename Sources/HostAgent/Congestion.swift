package import Wire

/// Explicit congestion notification at the end of a tunnel (RFC 6040 §4.2, figure 4).
///
/// ```
///             outer  Not-ECT   ECT(0)    ECT(1)    CE
///  inner Not-ECT     Not-ECT   Not-ECT   Not-ECT   drop
///        ECT(0)      ECT(0)    ECT(0)    ECT(1)    CE
///        ECT(1)      ECT(1)    ECT(1)    ECT(1)    CE
///        CE          CE        CE        CE        CE
/// ```
package enum Congestion {
  /// Joins the outer header's mark into the inner one; false: the packet must be dropped, because its
  /// sender would not understand the mark.
  @inline(always) package static func decapsulate(_ frame: inout Frame, outer: Int, inner: Int) -> Bool {
    let above = IPv4Header(at: outer).typeOfService(frame) & 3
    let service = IPv4Header(at: inner).typeOfService(frame)
    let below = service & 3
    if above == 3 && below == 0 { return false }
    guard above == 3 && below != 3 || above == 1 && below == 2 else { return true }
    let before = frame.load(inner, as: UInt16.self)
    frame.store(service & ~3 | above, at: inner &+ 1)
    var change = InternetChecksum()
    change.add(~before)
    change.add(frame.load(inner, as: UInt16.self))
    Translation.amend(&frame, checksumAt: inner &+ 10, by: change)
    return true
  }
}
