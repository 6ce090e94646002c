/// Where a flow's packets leave the node, packed into what CPUs read and write in one piece.
public struct FlowExit: BitwiseCopyable, Hashable, Sendable {
  /// The neighbour's IPv4 address in the upper half, then 20 bits of the device's index and 12 of the time; 0
  /// is no exit.
  public let raw: UInt64

  /// What a flow holds.
  @inline(__always) public init(raw: UInt64) { self.raw = raw }

  /// Packs an exit and the time at which it was found, modulo 4,096; nil for a device whose index needs more
  /// than 20 bits.
  @inline(__always) public init?(device: UInt32, neighbour: UInt32, time: UInt64) {
    guard device < 1 << 20 else { return nil }
    raw = UInt64(neighbour) &<< 32 | UInt64(device) &<< 12 | time & 0xfff
  }

  /// The device's index, or 0.
  @inline(__always) public var device: UInt32 { UInt32(truncatingIfNeeded: raw &>> 12) & 0xf_ffff }

  /// As it lies in a packet; 0 when the kernel is to find it by itself.
  @inline(__always) public var neighbour: UInt32 { UInt32(truncatingIfNeeded: raw &>> 32) }

  /// Whether it was found at this very step of the clock.
  @inline(__always) public func isFresh(at time: UInt64) -> Bool {
    device != 0 && raw & 0xfff == time & 0xfff
  }
}
