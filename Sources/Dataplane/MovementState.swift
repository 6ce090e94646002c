import Wire

/// How slots moved at one time: shared by all slots with the same history.
public struct MovementState: Hashable, BitwiseCopyable, Sendable {
  /// The backend before the first change; of no meaning without `hasBase`.
  @usableFromInline var base: Target
  /// 0 or 1; as wide as its neighbours, so that no byte of it is undefined in a map of the kernel.
  @usableFromInline var hasBase: UInt32
  /// When the base was set, milliseconds.
  @usableFromInline var first: UInt32
  /// When the current backend was set, milliseconds.
  @usableFromInline var last: UInt32

  /// A slot that had a backend, or none, until a time in milliseconds.
  init(base: Target?, at now: UInt32) {
    self.base = base ?? Target(locator: .any, row: 0, generation: 0)
    hasBase = base == nil ? 0 : 1
    first = now
    last = now
  }

  /// How it is at a time; nil once settled.
  ///
  /// The model calls this `settle`.
  @inline(always) public func phase(now: UInt32, idleTimeout: UInt32) -> SlotMovement? {
    // Signed, since a worker's clock may be read shortly before the change was made.
    let sinceLast = Int32(bitPattern: now &- last)
    guard sinceLast < Int32(bitPattern: idleTimeout &+ 3 &* Limits.skewMilliseconds) else { return nil }
    guard hasBase != 0, !isBaseGivenUp(now: now, idleTimeout: idleTimeout) else { return .recording }
    return .base(base)
  }

  /// Whether every live connection that is older than the first change is recorded by now.
  @inlinable @inline(__always) func isBaseGivenUp(now: UInt32, idleTimeout: UInt32) -> Bool {
    Int32(bitPattern: now &- first) >= Int32(bitPattern: idleTimeout &+ Limits.skewMilliseconds)
  }
}
