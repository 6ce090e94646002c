import Paxos
import Testing

@testable import Storage

@Suite("Entries and memberships as octets") struct EntryCodingTests {
  @Test(
    "lie in a row as documented",
    arguments: [
      (Entry.noOp, [1, 0]),
      (.command([]), [1, 1]),
      (.command([9, 8, 7]), [1, 1, 9, 8, 7]),
      (.membership(.add(ReplicaID(0x0102_0304_0506_0708))), [1, 2, 1, 2, 3, 4, 5, 6, 7, 8]),
      (.membership(.remove(ReplicaID(.max))), [1, 3, 255, 255, 255, 255, 255, 255, 255, 255]),
    ] as [(Entry, [UInt8])])
  func layout(entry: Entry, octets: [UInt8]) throws {
    #expect(EntryCoding.octets(of: entry) == octets)
    #expect(try EntryCoding.entry(in: octets) == entry)
  }

  @Test("memberships come back as they were") func memberships() throws {
    let founders = Membership(founders: [ReplicaID(3), ReplicaID(1), ReplicaID(.max)])
    let next = try #require(founders.changed(by: .remove(ReplicaID(3)), decided: Slot(70)))
    for memberships in [[], [founders], [founders, next], [next]] {
      let octets = EntryCoding.octets(of: memberships)
      #expect(try EntryCoding.memberships(in: octets) == memberships)
      for count in 0..<octets.count {
        #expect(throws: CodingError.malformed) { try EntryCoding.memberships(in: Array(octets[..<count])) }
      }
      #expect(throws: CodingError.malformed) { try EntryCoding.memberships(in: octets + [0]) }
    }
  }

  @Test(
    "what nobody writes is refused",
    arguments: [
      ([], .malformed),
      ([1], .malformed),
      ([1, 0, 0], .malformed),
      ([1, 2, 0, 0, 0, 0, 0, 0, 0], .malformed),
      ([1, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0], .malformed),
      ([1, 4], .malformed),
      ([0, 0], .version(0)),
      ([2, 0], .version(2)),
    ] as [([UInt8], CodingError)])
  func refused(octets: [UInt8], error: CodingError) {
    #expect(throws: error) { try EntryCoding.entry(in: octets) }
  }

  @Test("any octets are read or refused, and what is read is written alike") func total() {
    var chance = Chance(seed: 1)
    var read = 0
    for _ in 0..<20_000 {
      var octets = chance.octets(0..<40)
      if !octets.isEmpty { octets[0] = 1 }
      if octets.count > 1 { octets[1] &= 3 }
      if let entry = try? EntryCoding.entry(in: octets) {
        read += 1
        #expect(EntryCoding.octets(of: entry) == octets)
      }
      if let memberships = try? EntryCoding.memberships(in: octets) {
        read += 1
        #expect(EntryCoding.octets(of: memberships) == octets)
      }
    }
    #expect(read > 1000)
  }
}
