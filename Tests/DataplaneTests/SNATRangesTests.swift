import Dataplane
import PacketBuilder
import Testing
import Wire

@Suite struct SNATRangesTests {
  static let vip: IPv4Address = "203.0.113.10"

  static func range(_ port: UInt16, of vip: IPv4Address = vip) -> SNATRange {
    SNATRange(vip: vip, holding: port)
  }

  /// The range of a number, spread over VIPs as a manager does: all ranges of one VIP, then those of the next.
  static func range(number: Int) -> SNATRange {
    let perVIP = 8_064
    let vip = IPv4Address(number: 0xcb00_7100 + UInt32(number / perVIP))
    return SNATRange(vip: vip, holding: UInt16(1_024 + 8 * (number % perVIP)))
  }

  @Test func eightPortsAreOneRange() throws {
    let ranges = SNATRanges()
    try ranges.lease(Self.range(1_029), to: "10.2.0.1")
    for port in 1_024...1_031 as ClosedRange<UInt16> {
      #expect(ranges.locator(Self.range(port)) == "10.2.0.1")
    }
    #expect(ranges.locator(Self.range(1_032)) == nil)
    #expect(ranges.locator(Self.range(1_024, of: "203.0.113.11")) == nil)
    try ranges.lease(Self.range(1_024), to: "10.2.0.2")
    #expect(ranges.leases == [SNATRanges.Lease(Self.range(1_024), to: "10.2.0.2")])
    #expect(ranges.takeBack(Self.range(1_024)) == true)
    #expect(ranges.takeBack(Self.range(1_024)) == false)
    #expect(ranges.locator(Self.range(1_024)) == nil)
    #expect(ranges.count == 0)
  }

  @Test func refusals() {
    let ranges = SNATRanges()
    #expect(throws: SNATRangeError.port(Self.range(1_016))) {
      try ranges.lease(Self.range(1_023), to: "10.2.0.1")
    }
    #expect(throws: SNATRangeError.locator(Self.range(1_024))) {
      try ranges.lease(Self.range(1_024), to: .any)
    }
    #expect(ranges.leases == [])
  }

  /// No word is taken for another's, whatever VIPs and ports: ranges are told apart by all their bits.
  @Test(arguments: 1...2 as ClosedRange<UInt64>)
  func agreesWithADictionary(seed: UInt64) throws {
    var random = Random(seed: seed)
    let ranges = SNATRanges()
    var model: [SNATRange: IPv4Address] = [:]
    // Few VIPs and ports, and any at all.
    func pick() -> SNATRange {
      if random.below(2) == 0 { return Self.range(number: random.below(4_000)) }
      let vip = IPv4Address(number: UInt32(truncatingIfNeeded: random.next()))
      return SNATRange(vip: vip, holding: UInt16(1_024 + random.below(64_512)))
    }
    for _ in 0..<100_000 {
      let range = pick()
      switch random.below(3) {
      case 0:
        let locator = IPv4Address(number: 1 + UInt32(random.below(1 << 30)))
        try ranges.lease(range, to: locator)
        model[range] = locator
      case 1: #expect(ranges.takeBack(range) == (model.removeValue(forKey: range) != nil))
      default: #expect(ranges.locator(range) == model[range])
      }
    }
    #expect(ranges.count == model.count)
    let expected = model.map { SNATRanges.Lease($0.key, to: $0.value) }.sorted { $0.range < $1.range }
    #expect(ranges.leases == expected)
  }

  /// As many as are allowed find room, also when the table has been in use for long, and one more is refused.
  @Test func aMillionRangesComeAndGo() throws {
    var random = Random(seed: 7)
    let ranges = SNATRanges()
    for number in 0..<Limits.snatRanges {
      try ranges.lease(Self.range(number: number), to: IPv4Address(number: UInt32(number + 1)))
    }
    #expect(ranges.count == Limits.snatRanges)
    #expect(throws: SNATRangeError.tooMany(Limits.snatRanges)) {
      try ranges.lease(Self.range(number: Limits.snatRanges), to: "10.2.0.1")
    }
    // Which number has which range: one goes, a new one comes.
    var present = Array(0..<Limits.snatRanges)
    var next = Limits.snatRanges
    for _ in 0..<100_000 {
      let place = random.below(present.count)
      #expect(ranges.takeBack(Self.range(number: present[place])) == true)
      try ranges.lease(Self.range(number: next), to: IPv4Address(number: UInt32(next + 1)))
      present[place] = next
      next += 1
    }
    var wrong = 0
    for number in present
    where ranges.locator(Self.range(number: number)) != IPv4Address(number: UInt32(number + 1)) {
      wrong += 1
    }
    #expect(wrong == 0)
    #expect(ranges.count == Limits.snatRanges)
    let copy = SNATRanges()
    copy.copy(ranges)
    ranges.takeBack(Self.range(number: present[0]))
    #expect(copy.count == Limits.snatRanges)
    #expect(copy.locator(Self.range(number: present[0])) == IPv4Address(number: UInt32(present[0] + 1)))
  }

  /// Who reads while others are leased and taken back sees what is leased, whole: two numbers of one locator
  /// are alike.
  @Test func readersSeeWholeLeases() async throws {
    let ranges = SNATRanges()
    let steady = (0..<1_000).map { Self.range(number: $0) }
    let locators: [IPv4Address] = ["10.2.10.2", "10.3.10.3"]
    for range in steady { try ranges.lease(range, to: locators[0]) }
    let readers = (0..<2).map { _ in
      Task.detached {
        var wrong = 0
        for _ in 0..<200 {
          for range in steady {
            guard let found = ranges.locator(range), locators.contains(found) else {
              wrong += 1
              continue
            }
          }
        }
        return wrong
      }
    }
    for round in 0..<100 {
      for (number, range) in steady.enumerated() {
        try ranges.lease(range, to: locators[(round + number) % 2])
        let other = Self.range(number: 1_000 + number * 7 % 5_000)
        try ranges.lease(other, to: "10.4.0.4")
        if round % 2 == 1 { ranges.takeBack(other) }
      }
    }
    for reader in readers { #expect(await reader.value == 0) }
  }
}
