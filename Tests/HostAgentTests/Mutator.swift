import Dataplane
import Wire

/// Lays packets into one buffer, each spoilt in its own way.
struct Mutator {
  private(set) var memory = [UInt8](repeating: 0, count: Frame.headroom + 4096)
  private(set) var byteCount = 0
  private(set) var offload = Offload()
  private var numbers: Seeded
  private let seeds: [[UInt8]]
  /// Where transport headers begin in these packets.
  private let transport: UInt16

  init(_ seeds: [[UInt8]], transport: UInt16, seed: UInt64) {
    self.seeds = seeds
    self.transport = transport
    numbers = Seeded(state: seed)
  }

  /// The next packet.
  mutating func advance() {
    let chance = numbers.next()
    let packet = seeds[Int(chance & 0xffff) % seeds.count]
    byteCount = packet.count
    memory.replaceSubrange(Frame.headroom..<(Frame.headroom + packet.count), with: packet)
    // Most changes go where headers lie; one in four packets stays whole, so that flows exist.
    for _ in 0..<Int((chance >> 16) & 3) {
      let number = numbers.next()
      let at = Int(number & 0xff) % min(byteCount, 100)
      memory[Frame.headroom + at] = UInt8(truncatingIfNeeded: number >> 8)
    }
    if (chance >> 20) & 15 == 0 { byteCount = Int(chance >> 24) % (byteCount + 1) }
    // Three in four get right header checksums again, so that the changes reach the code behind that check.
    if (chance >> 32) & 3 != 0 { mend() }
    describe(chance >> 36, proto: packet[transport == 40 ? 29 : 9])
  }

  private mutating func mend() {
    for start in transport == 40 ? [0, 20] : [0] {
      let first = Frame.headroom + start
      memory[first + 10] = 0
      memory[first + 11] = 0
      var sum: UInt32 = 0
      for word in 0..<10 {
        sum += UInt32(memory[first + 2 * word]) << 8 + UInt32(memory[first + 2 * word + 1])
      }
      while sum > 0xffff { sum = (sum & 0xffff) + (sum >> 16) }
      memory[first + 10] = UInt8(truncatingIfNeeded: ~sum >> 8)
      memory[first + 11] = UInt8(truncatingIfNeeded: ~sum)
    }
  }

  private mutating func describe(_ chance: UInt64, proto: UInt8) {
    offload = Offload()
    guard chance & 3 != 0, proto == 6 || proto == 17 else { return }
    offload.flags = Offload.needsChecksum
    offload.checksumStart = transport
    offload.checksumOffset = proto == 6 ? 16 : 6
    if chance & 4 != 0 {
      offload.gsoType = proto == 6 ? Offload.gsoTCPv4 : Offload.gsoUDP
      offload.gsoSize = 536
    }
    guard chance & 0x18 == 0 else { return }
    switch (chance >> 5) & 7 {
    case 0: offload.flags = UInt8(truncatingIfNeeded: chance >> 8)
    case 1: offload.gsoType = UInt8(truncatingIfNeeded: chance >> 8)
    case 2: offload.gsoSize = UInt16(truncatingIfNeeded: chance >> 8) & 15
    case 3: offload.gsoSize = UInt16(truncatingIfNeeded: chance >> 8)
    case 4: offload.checksumStart = UInt16(truncatingIfNeeded: chance >> 8)
    case 5: offload.checksumOffset = UInt16(truncatingIfNeeded: chance >> 8)
    default: offload.headerLength = UInt16(truncatingIfNeeded: chance >> 8)
    }
  }

  /// Lends the buffer to an entry point.
  mutating func withSpan<Result>(_ body: (consuming MutableRawSpan) -> Result) -> Result {
    var span = memory.mutableSpan
    return unsafe body(span.mutableBytes)
  }

  func byte(_ offset: Int) -> UInt8 { memory[Frame.headroom + offset] }
}
