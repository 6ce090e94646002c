import Testing
import Wire

@Suite("SipHash-2-4-128") struct SipHashTests {
  /// Tags of the octets 0, 1, 2 and so on under the key 0x00, 0x01 to 0x0f, as `openssl mac SIPHASH` prints them.
  static let vectors: [(count: Int, tag: String)] = [
    (0, "a3817f04ba25a8e66df67214c7550293"), (1, "da87c1d86b99af44347659119b22fc45"),
    (7, "a1f1ebbed8dbc153c0b84aa61ff08239"), (8, "3b62a9ba6258f5610f83e264f31497b4"),
    (15, "5493e99933b0a8117e08ec0f97cfc3d9"), (63, "5150d1772f50834a503e069a973fbd7c"),
  ]

  @Test("gives what another implementation gives", arguments: vectors) func known(_ count: Int, _ tag: String)
  {
    var hash = SipHash(low: 0x0706_0504_0302_0100, high: 0x0f0e_0d0c_0b0a_0908)
    let octets = (0..<count).map { UInt64($0) }
    for start in stride(from: 0, to: count - count % 8, by: 8) {
      hash.add(Self.word(octets[start..<start + 8]))
    }
    let result = hash.finish(rest: Self.word(octets[(count - count % 8)...]), byteCount: count)
    #expect(Self.text(result.low) + Self.text(result.high) == tag)
  }

  private static func word(_ octets: ArraySlice<UInt64>) -> UInt64 {
    octets.reversed().reduce(0) { $0 << 8 | $1 }
  }

  private static func text(_ number: UInt64) -> String {
    (0..<8).map { index in
      let octet = String(number >> (index * 8) & 0xff, radix: 16)
      return octet.count == 1 ? "0" + octet : octet
    }.joined()
  }
}
