internal import CLinux
internal import Glibc

/// Waits for many descriptors at once, level-triggered.
///
/// The corresponding C functions are `epoll_*`.
///
/// The buffer for events belongs to the value, so that waiting never allocates:
/// ```
/// let count = try epoll.wait(timeoutMilliseconds: 100)
/// for index in 0..<count { handle(epoll[index].tag) }
/// ```
@safe public struct Epoll: ~Copyable {
  /// What a descriptor is watched for, or has become.
  public struct Interest: OptionSet, Sendable {
    /// EPOLL* bits.
    public let rawValue: UInt32
    /// Takes EPOLL* bits.
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// EPOLLIN.
    public static let readable = Interest(rawValue: 0x001)
    /// EPOLLOUT.
    public static let writable = Interest(rawValue: 0x004)
    /// EPOLLERR; always watched.
    public static let failed = Interest(rawValue: 0x008)
    /// EPOLLHUP; always watched.
    public static let hungUp = Interest(rawValue: 0x010)
  }

  /// One descriptor that became ready.
  public struct Event: Sendable {
    /// What was given to `add`.
    public let tag: UInt64
    /// What the descriptor has become.
    public let readiness: Interest
  }

  private let descriptor: FileDescriptor
  private let events: UnsafeMutablePointer<epoll_event>
  /// The most events that one wait returns.
  public let capacity: Int

  /// Opens an instance whose waits return at most `capacity` events.
  public init(capacity: Int = Limits.epollEvents) throws(PlatformError) {
    precondition(capacity > 0 && capacity <= Limits.epollEvents, "epoll capacity")
    let raw = epoll_create1(CInt(CLinux.EPOLL_CLOEXEC))
    guard raw >= 0 else { throw PlatformError("open", "an epoll instance", .current) }
    self.descriptor = FileDescriptor(owning: raw)
    self.capacity = capacity
    unsafe self.events = .allocate(capacity: capacity)
    unsafe self.events.initialize(repeating: epoll_event(), count: capacity)
  }

  deinit { unsafe events.deallocate() }

  /// Watches a descriptor; its events will carry the tag.
  public borrowing func add(
    _ watched: borrowing FileDescriptor, tag: UInt64, interest: Interest = .readable
  ) throws(PlatformError) {
    try control(EPOLL_CTL_ADD, watched.raw, tag, interest, "watch")
  }

  /// Changes what a watched descriptor is watched for.
  public borrowing func modify(
    _ watched: borrowing FileDescriptor, tag: UInt64, interest: Interest
  ) throws(PlatformError) {
    try control(EPOLL_CTL_MOD, watched.raw, tag, interest, "change the watch of")
  }

  /// Watches a descriptor no longer.
  ///
  /// Closing it does the same.
  public borrowing func remove(_ watched: borrowing FileDescriptor) throws(PlatformError) {
    try control(EPOLL_CTL_DEL, watched.raw, 0, [], "end the watch of")
  }

  /// Waits until a descriptor is ready or the time is over; -1 waits for ever, 0 not at all.
  ///
  /// Returns the number of events; 0 when the time is over or a signal came.
  public mutating func wait(timeoutMilliseconds: CInt) throws(Errno) -> Int {
    let count = unsafe epoll_wait(descriptor.raw, events, CInt(capacity), timeoutMilliseconds)
    guard count < 0 else { return Int(count) }
    let error = Errno.current
    guard error.rawValue == EINTR else { throw error }
    return 0
  }

  /// An event of the last wait; the index is less than what it returned.
  public subscript(index: Int) -> Event {
    precondition(index >= 0 && index < capacity, "epoll event index")
    let event = unsafe events[index]
    return unsafe Event(tag: event.data.u64, readiness: Interest(rawValue: event.events))
  }

  private borrowing func control(
    _ operation: CInt, _ raw: CInt, _ tag: UInt64, _ interest: Interest, _ attempt: String
  ) throws(PlatformError) {
    var event = unsafe epoll_event()
    unsafe event.events = interest.rawValue
    unsafe event.data.u64 = tag
    guard unsafe epoll_ctl(descriptor.raw, operation, raw, &event) == 0 else {
      throw PlatformError(attempt, "descriptor \(raw)", .current)
    }
  }
}
