public import Wire

/// What is remembered of a connection that the VIP map alone would send elsewhere than where it began.
///
/// The rules of its life, for user space's table and the kernel's map alike. A record is untrusted while its
/// connection has shown nothing but a SYN: those live shortly and have a small quota, so that a flood of SYNs leaves
/// room (Ananta §3.3.3).
public struct FlowRecord: BitwiseCopyable, Sendable {
  /// How far a connection is trusted; `none` marks a free place.
  public enum Trust: UInt8, BitwiseCopyable, Sendable {
    /// No record.
    case none
    /// It has shown a SYN.
    case untrusted
    /// It has shown more.
    case trusted
  }
  /// What a packet found.
  public enum Finding: UInt8, BitwiseCopyable, Sendable {
    /// Nothing that holds: the record is to be removed.
    case ended
    /// The connection.
    case known
    /// The connection, which is trusted from now on.
    case promoted
  }

  /// The backend.
  public let target: Target
  /// The endpoint's.
  public let number: UInt32
  /// When it is forgotten, milliseconds.
  @usableFromInline var expires: UInt32
  /// How far it is trusted.
  public var trust: Trust
  /// The client has sent a FIN or a RST: its next SYN begins another connection.
  @usableFromInline var isClosing: Bool
  /// Always 0; makes all bytes defined, as values of eBPF maps must be.
  @usableFromInline let padding: UInt16

  /// No record.
  @inline(always) public init() {
    target = Target(locator: .any, row: 0, generation: 0)
    number = 0
    expires = 0
    trust = .none
    isClosing = false
    padding = 0
  }

  /// A connection's first packet here; `opening` when that is a SYN.
  @inline(always) public init(
    _ target: Target, number: UInt32, opening: Bool, idleTimeout: UInt32, now: UInt32
  ) {
    self.target = target
    self.number = number
    expires = now &+ (opening ? Limits.untrustedMilliseconds : idleTimeout)
    trust = opening ? .untrusted : .trusted
    isClosing = false
    padding = 0
  }

  /// The same record under other numbers of its endpoint and its counters.
  @inline(always) public init(_ record: FlowRecord, of target: Target, number: UInt32) {
    self.target = target
    self.number = number
    expires = record.expires
    trust = record.trust
    isClosing = record.isClosing
    padding = 0
  }

  /// Whether its time is over.
  @inline(always) public func isExpired(_ now: UInt32) -> Bool { Int32(bitPattern: now &- expires) >= 0 }

  /// A further packet: unless it is a SYN, it renews the record for `idleTimeout` milliseconds.
  @inline(always) public mutating func meet(opening: Bool, idleTimeout: UInt32, now: UInt32) -> Finding {
    guard !isExpired(now) else { return .ended }
    // Ports come round again: a SYN of a connection that has ended begins a new one.
    if opening { return isClosing ? .ended : .known }
    expires = now &+ (isClosing ? min(idleTimeout, Limits.closingMilliseconds) : idleTimeout)
    guard trust == .untrusted else { return .known }
    trust = .trusted
    return .promoted
  }

  /// The client has sent a FIN or a RST, so it ends soon.
  ///
  /// A MUX sees no packet of the server, so it cannot wait for the other FIN.
  @inline(always) public mutating func close(isReset: Bool, now: UInt32) {
    isClosing = true
    expires = now &+ (isReset ? Limits.untrustedMilliseconds : Limits.closingMilliseconds)
  }
}
