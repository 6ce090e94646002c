public import Synchronization

/// One slot through which a control thread hands a worker its newest configuration.
///
/// A snapshot that was not taken before the next one is posted is dropped: the worker wants the newest only.
/// When nothing was posted, `take` costs one relaxed load.
public final class Mailbox<Snapshot: AnyObject & Sendable>: Sendable {
  // The bits of one retained reference, or zero. Whoever exchanges it out of the slot owns the reference.
  @usableFromInline let slot = Atomic<UInt>(0)
  /// Signalled by every post, so that a worker that waits in an epoll notices; the worker drains it.
  public let wakeup: EventFD

  /// Makes an empty mailbox.
  public init() throws(PlatformError) { wakeup = try EventFD() }

  deinit { Self.release(slot.exchange(0, ordering: .acquiring)) }

  /// Puts a snapshot in place of the one that was not taken yet; any thread may do so.
  public func post(_ snapshot: Snapshot) {
    let bits = unsafe UInt(bitPattern: Unmanaged.passRetained(snapshot).toOpaque())
    Self.release(slot.exchange(bits, ordering: .acquiringAndReleasing))
    wakeup.signal()
  }

  /// The newest snapshot, unless it was taken before.
  @inline(always) public func take() -> Snapshot? {
    guard slot.load(ordering: .relaxed) != 0 else { return nil }
    return taken()
  }

  @usableFromInline func taken() -> Snapshot? {
    let bits = slot.exchange(0, ordering: .acquiring)
    guard let pointer = unsafe UnsafeRawPointer(bitPattern: bits) else { return nil }
    return unsafe Unmanaged<Snapshot>.fromOpaque(pointer).takeRetainedValue()
  }

  private static func release(_ bits: UInt) {
    guard let pointer = unsafe UnsafeRawPointer(bitPattern: bits) else { return }
    unsafe Unmanaged<Snapshot>.fromOpaque(pointer).release()
  }
}
