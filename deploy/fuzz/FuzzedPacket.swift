import Dataplane
import Wire

extension Input {
  mutating func offload() -> Offload {
    var offload = Offload()
    offload.flags = UInt8(byte())
    offload.gsoType = UInt8(byte())
    offload.headerLength = UInt16(word())
    offload.gsoSize = UInt16(word())
    offload.checksumStart = UInt16(word())
    offload.checksumOffset = UInt16(word())
    return offload
  }
}

/// A packet in a buffer that ends where the packet ends, or where every buffer ends, so that an access behind
/// it is noticed.
struct FuzzedPacket: ~Copyable {
  private let base: UnsafeMutableRawPointer
  private let size: Int
  let byteCount: Int

  init(_ bytes: [UInt8]) {
    byteCount = bytes.count
    size = Frame.headroom + max(byteCount, Frame.guaranteed)
    unsafe base = .allocate(byteCount: size, alignment: 16)
    unsafe base.initializeMemory(as: UInt8.self, repeating: 0, count: size)
    unsafe bytes.withUnsafeBytes { source in
      unsafe UnsafeMutableRawBufferPointer(start: base + Frame.headroom, count: source.count)
        .copyMemory(from: source)
    }
  }

  deinit { unsafe base.deallocate() }

  /// Not tied to the packet, so that it can be handed over beside other parts of a target; it lives as long.
  var span: MutableRawSpan {
    @_lifetime(immortal) get {
      let span = unsafe MutableRawSpan(_unsafeStart: base, byteCount: size)
      return unsafe _overrideLifetime(span, copying: ())
    }
  }

  /// Bytes that a verdict names; traps where they do not lie in the buffer.
  func bytes(from offset: Int, count: Int) -> [UInt8] {
    precondition(
      offset >= -Frame.headroom && count >= 0 && offset + count <= byteCount, "bytes of the packet")
    return unsafe [UInt8](UnsafeRawBufferPointer(start: base + Frame.headroom + offset, count: count))
  }

  /// Whether what lies there begins as an IPv4 packet whose header is intact and says its length, unless it
  /// is too long to say it.
  func isPacket(at offset: Int, count: Int, isLong: Bool = false) -> Bool {
    let header = bytes(from: offset, count: IPv4Header.byteCount)
    let isWhole = isLong || Int(header.number(at: 2, as: UInt16.self)) == count
    return header[0] == 0x45 && header.internetSum == 0xffff && isWhole
  }

  /// Sends the packet on as a worker does, in segments; how many, 0 when the offload made no sense.
  @discardableResult func segment(offset: Int, byteCount: Int, offload: Offload) -> Int {
    guard var segmenter = Segmenter(span, offset: offset, byteCount: byteCount, offload: offload) else {
      return 0
    }
    var sent = 0
    var end = offset
    while let segment = segmenter.next(span) {
      sent += 1
      precondition(segment.offset >= offset && segment.byteCount > 0, "a segment of the packet")
      end = segment.offset + segment.byteCount
      precondition(end <= offset + byteCount, "a segment within the packet")
      if segmenter.count > 1 {
        precondition(isPacket(at: segment.offset, count: segment.byteCount), "a segment is a packet")
      }
    }
    precondition(sent == segmenter.count && end == offset + byteCount, "all of the packet was sent")
    return sent
  }
}

/// A fuzzer does not find checksums: makes that of the IPv4 header right.
func repairHeaderChecksum(_ packet: inout [UInt8]) {
  packet.store(UInt16(0), at: 10)
  packet.store(~[UInt8](packet.prefix(IPv4Header.byteCount)).internetSum, at: 10)
}

extension [UInt8] {
  /// Lays a number down in network byte order, where there is room for it.
  mutating func store<Number: FixedWidthInteger>(_ number: Number, at offset: Int) {
    let width = Number.bitWidth / 8
    guard offset >= 0, offset + width <= count else { return }
    for place in 0..<width {
      self[offset + place] = UInt8(truncatingIfNeeded: number >> (8 * (width - 1 - place)))
    }
  }

  /// A number in network byte order, 0 where there is none.
  func number<Number: FixedWidthInteger>(at offset: Int, as _: Number.Type) -> Number {
    let width = Number.bitWidth / 8
    guard offset >= 0, offset + width <= count else { return 0 }
    return self[offset..<(offset + width)].reduce(0) { $0 << 8 | Number($1) }
  }

  /// The ones' complement sum of the words (RFC 1071), not complemented.
  var internetSum: UInt16 {
    var sum: UInt32 = 0
    for place in stride(from: 0, to: count, by: 2) {
      sum += UInt32(self[place]) << 8 | (place + 1 < count ? UInt32(self[place + 1]) : 0)
    }
    while sum > 0xffff { sum = sum & 0xffff + sum >> 16 }
    return UInt16(sum)
  }
}
