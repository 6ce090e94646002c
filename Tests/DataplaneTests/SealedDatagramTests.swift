import Dataplane
import Testing
import Wire

@Suite("Sealed datagrams") struct SealedDatagramTests {
  private static let hash = SipHash(low: 0x0123_4567_89ab_cdef, high: 42)

  private static func datagram(_ length: Int) -> SealedDatagram {
    SealedDatagram(
      kind: 3, sender: IPv4Address(10, 1, 2, 3), sequence: 0x0102_0304_0506_0708,
      payload: (0..<length).map { UInt8(truncatingIfNeeded: $0 * 7) })
  }

  private static func open(_ octets: [UInt8]) -> Result<SealedDatagram, SealedDatagram.Refusal> {
    Result { () throws(SealedDatagram.Refusal) in
      try SealedDatagram(opening: octets) { $0 == 9 ? hash : nil }
    }
  }

  @Test("what was sealed is opened", arguments: [0, 1, 7, 8, 64, 1400]) func roundTrip(_ length: Int) {
    let octets = Self.datagram(length).sealed(key: 9, Self.hash)
    #expect(octets.count == length + SealedDatagram.overhead)
    #expect(Self.open(octets) == .success(Self.datagram(length)))
  }

  @Test("one flipped bit anywhere is found") func flipped() {
    let octets = Self.datagram(21).sealed(key: 9, Self.hash)
    for bit in 0..<octets.count * 8 {
      var damaged = octets
      damaged[bit / 8] ^= 1 << (bit % 8)
      let reason: SealedDatagram.Refusal =
        bit < 8 ? .unknownVersion : (32..<64).contains(bit) ? .unknownKey : .wrongSeal
      #expect(Self.open(damaged) == .failure(reason), "bit \(bit)")
    }
  }

  @Test("whatever is cut off is found") func cut() {
    let octets = Self.datagram(21).sealed(key: 9, Self.hash)
    for count in 0..<octets.count {
      let reason: SealedDatagram.Refusal = count < SealedDatagram.overhead ? .tooShort : .wrongSeal
      #expect(Self.open(Array(octets[..<count])) == .failure(reason), "\(count) octets")
    }
  }

  @Test("another key does not open it") func otherKey() {
    let octets = Self.datagram(5).sealed(key: 9, SipHash(low: 1, high: 42))
    #expect(Self.open(octets) == .failure(.wrongSeal))
  }

  @Test("each number is taken once, in any order within 64") func replay() {
    var window = ReplayWindow()
    let order: [(UInt64, Bool)] = [
      (100, true), (100, false), (99, true), (99, false), (103, true), (101, true), (100, false), (40, true),
      (39, false), (166, true), (103, false), (104, true), (102, false), (1_000_000, true), (166, false),
      (999_999, true),
    ]
    for (index, (sequence, isTaken)) in order.enumerated() {
      #expect(window.take(sequence) == isTaken, "step \(index): \(sequence)")
    }
  }
}
