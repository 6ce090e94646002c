internal import Dataplane
internal import HostAgent
internal import Wire

/// Copies of the first packets of connections that wait for a port, in slots of equal size.
struct HeldPackets {
  /// Octets that are copied at once.
  private static let step = 8
  /// Octets of a slot, a multiple of the step.
  private static let slotBytes = (HostAgent.heldByteCount + step - 1) / step * step

  private var words: [UInt64]
  private var byteCounts: [Int]
  private var offloads: [Offload]

  init() {
    words = Array(repeating: 0, count: HostAgent.heldSlots * Self.slotBytes / Self.step)
    byteCounts = Array(repeating: 0, count: HostAgent.heldSlots)
    offloads = Array(repeating: Offload(), count: HostAgent.heldSlots)
  }

  /// Keeps a packet, with what its device left to do; one that is longer than a slot becomes an empty one.
  mutating func keep(_ frame: borrowing Frame, byteCount: Int, _ offload: Offload, in slot: Int) {
    guard byteCount <= Self.slotBytes else {
      byteCounts[slot] = 0
      return
    }
    let first = slot * Self.slotBytes / Self.step
    let whole = byteCount / Self.step
    for place in 0..<whole { words[first + place] = frame.load(place * Self.step, as: UInt64.self) }
    var rest: UInt64 = 0
    for offset in whole * Self.step..<byteCount {
      rest |= UInt64(frame.load(offset, as: UInt8.self)) << UInt64(offset % Self.step * 8)
    }
    if byteCount % Self.step != 0 { words[first + whole] = rest }
    byteCounts[slot] = byteCount
    offloads[slot] = offload
  }

  /// How long the packet of a slot is.
  func byteCount(of slot: Int) -> Int { byteCounts[slot] }

  /// Lays a packet into a frame of its length; what its device left to do.
  func lay(_ slot: Int, into frame: inout Frame) -> Offload {
    let first = slot * Self.slotBytes / Self.step
    let whole = byteCounts[slot] / Self.step
    for place in 0..<whole { frame.store(words[first + place], at: place * Self.step) }
    for offset in whole * Self.step..<byteCounts[slot] {
      let octet = UInt8(truncatingIfNeeded: words[first + whole] >> UInt64(offset % Self.step * 8))
      frame.store(octet, at: offset)
    }
    return offloads[slot]
  }
}
