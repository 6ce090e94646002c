import Dataplane
import Foundation
import Mux
import PacketBuilder
import Testing
import Wire

/// Packets that were sound once, with some bytes changed: never a crash, and whatever leaves is right.
@Suite struct FuzzTests {
  static let packetsPerSeed = 250_000

  /// A packet that was tampered with.
  struct Mutant {
    var buffer: FrameBuffer
    var byteCount: Int
    var offload: Offload

    init(_ example: PacketCase, _ buffer: FrameBuffer, _ random: inout Random) {
      self.buffer = buffer
      byteCount = buffer.byteCount
      offload = example.offload
      let dice = random.next()
      for change in 0..<Int(dice & 3) {
        let place = Int(dice >> (8 + 16 * UInt64(change)) & 0x3f)
        self.buffer.replace(at: place, by: UInt8(truncatingIfNeeded: dice >> (4 + 12 * UInt64(change))))
      }
      if dice >> 60 == 1 { byteCount = random.below(byteCount + 1) }
      if dice >> 60 == 2 { byteCount = min(byteCount + random.below(64), Frame.guaranteed) }
      if dice >> 60 == 3 { offload.gsoType = UInt8(truncatingIfNeeded: random.next()) }
      if dice >> 60 == 4 { offload.gsoSize = UInt16(truncatingIfNeeded: random.next()) }
      if dice >> 60 == 5 { offload.flags ^= 1 }
      // Half of them pass the header checksum, so that what lies behind it is tried as well.
      if dice >> 59 & 1 == 0 { self.buffer.repairHeaderChecksum() }
    }
  }

  @Test(arguments: 1...4 as ClosedRange<UInt64>)
  func mutatedPackets(seed: UInt64) throws {
    var random = Random(seed: seed)
    var bench = Bench()
    var moved = Bench.endpoints
    moved[0].backends.removeLast()
    bench.configure(moved, now: 500)
    let examples = PacketCase.all.filter { $0.packet.count <= 256 }
    let buffers = examples.map { FrameBuffer($0.packet) }
    var transmitted = 0
    for round in 0..<Self.packetsPerSeed {
      let pick = random.below(examples.count)
      var mutant = Mutant(examples[pick], buffers[pick], &random)
      let before = mutant.buffer
      let count = mutant.byteCount
      var offload = mutant.offload
      let verdict = mutant.buffer.withSpan { span in
        bench.mux.process(span, byteCount: count, offload: &offload, now: UInt32(1_000 + round / 16))
      }
      guard case .transmit(let offset, let byteCount) = verdict else { continue }
      transmitted += 1
      let fault = Self.fault(before, mutant.buffer, offset: offset, byteCount: byteCount)
      try #require(fault == nil, "seed \(seed), round \(round), \(examples[pick].name): \(fault ?? "")")
    }
    #expect(transmitted > Self.packetsPerSeed / 10)
    let counters = bench.counters
    let dropped = counters.drops.values.reduce(0, +)
    let ends = [MuxCounters.Total.passed, .encapsulated, .echoReplies, .fragmentationNeeded]
    #expect(counters[.packets] == UInt64(Self.packetsPerSeed))
    #expect(dropped + ends.map { counters[$0] }.reduce(0, +) == counters[.packets])
  }

  /// What is wrong with a packet that was sent; nil when nothing is.
  static func fault(_ before: FrameBuffer, _ after: FrameBuffer, offset: Int, byteCount: Int) -> String? {
    let start = Frame.headroom + offset
    func word(_ place: Int) -> Int {
      Int(after.memory[start + place]) << 8 + Int(after.memory[start + place + 1])
    }
    var sum = 0
    for place in 0..<10 { sum += word(2 * place) }
    while sum > 0xffff { sum = sum & 0xffff + sum >> 16 }
    if sum != 0xffff { return "wrong header checksum" }
    if word(0) >> 8 != 0x45 { return "not an IPv4 header" }
    if word(2) != byteCount { return "total length \(word(2)) of \(byteCount)" }
    if offset == 0 || offset == Emit.offsetOfErrors { return nil }
    guard offset == -20 else { return "begins at \(offset)" }
    if word(12) != 0x0a00 || word(14) != 0x0001 { return "not from the MUX" }
    if after.memory[start + 9] != 4 { return "not IPIP" }
    let sameBefore = before.equals(after, from: 0, to: start)
    let sameAfter = before.equals(after, from: Frame.headroom, to: before.memory.count)
    return sameBefore && sameAfter ? nil : "bytes changed that are none of its business"
  }

  enum Emit {
    static let offsetOfErrors = -28
  }
}

extension FrameBuffer {
  /// Whether a stretch of memory is the same.
  fileprivate func equals(_ other: FrameBuffer, from start: Int, to end: Int) -> Bool {
    unsafe memory.withUnsafeBytes { a in
      unsafe other.memory.withUnsafeBytes { b in
        guard let a = a.baseAddress, let b = b.baseAddress else { return start == end }
        return unsafe memcmp(a + start, b + start, end - start) == 0
      }
    }
  }

  /// Makes the IPv4 header's checksum right.
  fileprivate mutating func repairHeaderChecksum() {
    replace(at: 10, by: 0)
    replace(at: 11, by: 0)
    var sum = 0
    for place in 0..<10 {
      let at = Frame.headroom + 2 * place
      sum += Int(memory[at]) << 8 + Int(memory[at + 1])
    }
    while sum > 0xffff { sum = sum & 0xffff + sum >> 16 }
    replace(at: 10, by: UInt8((0xffff - sum) >> 8))
    replace(at: 11, by: UInt8((0xffff - sum) & 255))
  }
}
