/// Which fields of a five-tuple choose the backend.
public enum HashedFields: UInt8, CaseIterable, Sendable, BitwiseCopyable {
  /// Every connection by itself.
  case fiveTuple = 0
  /// All a client sends to a VIP.
  case sourceAndDestination = 1
  /// All a client sends to a VIP by one protocol.
  case sourceDestinationAndProtocol = 2
}

/// The hash that every MUX of a pool computes alike; docs/hash.md specifies it to the bit.
///
/// Keyed by the pool's seed, so that a stranger cannot tell which packets meet in one slot. It works on numbers,
/// never on memory, so it is the same on machines of either byte order. Not a cryptographic hash.
public struct PoolHash: Hashable, Sendable, BitwiseCopyable {
  /// The same on all members of the pool.
  public let seed: UInt64
  /// Takes the pool's seed.
  @inline(always) public init(seed: UInt64) { self.seed = seed }

  /// Hashes the fields of a connection that choose its backend.
  @inline(always) public func hash(_ tuple: FiveTuple, _ fields: HashedFields = .fiveTuple) -> UInt64 {
    let addresses = UInt64(tuple.source.number) << 32 | UInt64(tuple.destination.number)
    let ports = UInt64(tuple.sourcePort) << 24 | UInt64(tuple.destinationPort) << 8
    let rest: UInt64
    switch fields {
    case .fiveTuple: rest = ports | UInt64(tuple.proto.rawValue)
    case .sourceAndDestination: rest = 0
    case .sourceDestinationAndProtocol: rest = UInt64(tuple.proto.rawValue)
    }
    return Self.mixed(Self.mixed(seed ^ addresses) ^ rest)
  }

  /// Hashes a backend's locator; `round` tells apart several hashes of one locator.
  @inline(always) public func hash(locator: IPv4Address, round: UInt32) -> UInt64 {
    Self.mixed(Self.mixed(seed ^ (UInt64(round) << 32 | UInt64(locator.number))) ^ seed)
  }

  /// The slot of a table that a hash falls into: the upper 32 bits scaled to `slotCount`, which needs no division.
  @inline(always) public static func slot(of hash: UInt64, slotCount: UInt32) -> Int {
    Int(truncatingIfNeeded: ((hash >> 32) &* UInt64(slotCount)) >> 32)
  }

  /// A bijection of 64-bit numbers in which each bit of the input changes each bit of the output half the time.
  @inline(always) public static func mixed(_ number: UInt64) -> UInt64 {
    var x = number
    x ^= x >> 32
    x &*= 0xd6e8_feb8_6659_fd93
    x ^= x >> 32
    x &*= 0xd6e8_feb8_6659_fd93
    x ^= x >> 32
    return x
  }
}
