/// The packets that the replaying program makes (Sources/Kernel/Replay.swift), and what became of them.
public struct KernelLoad: BitwiseCopyable, Sendable {
  /// Which connection a packet belongs to.
  public enum Order: UInt32, Sendable {
    /// Every packet to the first.
    case one = 0
    /// One after the other, and then from the beginning.
    case sequential = 1
    /// Any of them.
    case random = 2
  }

  /// The first 64 bytes of each frame: Ethernet, IPv4 without options, and ports.
  public var headers: InlineArray<8, UInt64>
  /// Of a whole frame.
  public var byteCount: UInt32
  /// `Order`.
  public var order: UInt32
  /// How many connections there are; each has a source of its own and a port that follows from it.
  public var flowCount: UInt32
  /// The source of the first connection, as a number.
  public var firstSource: UInt32
  /// The sum of the IPv4 header's 16-bit numbers without checksum and source.
  public var partialSum: UInt32
  /// How many ports connections go to, from the frame's own on; 0 for that one.
  public var portCount: UInt32
  /// The connection whose turn it is, in sequential order.
  public var next: UInt64
  /// The state of the random numbers.
  public var random: UInt64
  /// Packets that the program under test left as long as they were.
  public var unchanged: UInt64
  /// Those it made 20 bytes longer.
  public var grown: UInt64
  /// Those that are of another length.
  public var other: UInt64
  /// Packets that could not be made, or had no program to go to.
  public var failed: UInt64

  /// No packets.
  public init() {
    headers = InlineArray(repeating: 0)
    byteCount = 64
    order = Order.one.rawValue
    flowCount = 1
    firstSource = 0
    partialSum = 0
    portCount = 0
    next = 0
    random = 0x9e37_79b9_7f4a_7c15
    unchanged = 0
    grown = 0
    other = 0
    failed = 0
  }
}
