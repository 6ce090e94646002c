import Wire

/// Memory as a worker hands it to the data plane: headroom, packet, tailroom.
public struct FrameBuffer {
  /// All of it.
  public private(set) var memory: [UInt8]
  /// Of the packet.
  public let byteCount: Int

  /// Lays a packet behind the headroom; whatever the packet does not fill holds `filler`.
  public init(_ packet: [UInt8], filler: UInt8 = 0xa5) {
    byteCount = packet.count
    let room = max(packet.count, Frame.guaranteed)
    memory =
      [UInt8](repeating: filler, count: Frame.headroom) + packet
      + [UInt8](repeating: filler, count: room - packet.count)
  }

  /// Lends the memory to an entry point of the data plane.
  public mutating func withSpan<Result>(_ body: (consuming MutableRawSpan) -> Result) -> Result {
    var span = memory.mutableSpan
    return unsafe body(span.mutableBytes)
  }

  /// The bytes from an offset on, which counts from where the packet began.
  public func bytes(from offset: Int, count: Int) -> [UInt8] {
    Array(memory[(Frame.headroom + offset)..<(Frame.headroom + offset + count)])
  }
}
