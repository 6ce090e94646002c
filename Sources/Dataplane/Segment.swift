#if !KERNEL
/// A packet as it goes over a wire, in the buffer of the super-packet that it was part of.
public struct Segment: BitwiseCopyable, Sendable {
  /// Where it begins, counted as a `Frame` counts.
  public let offset: Int
  /// From the outermost header on.
  public let byteCount: Int

  /// Names a place.
  @inline(always) public init(offset: Int, byteCount: Int) {
    self.offset = offset
    self.byteCount = byteCount
  }
}
#endif
