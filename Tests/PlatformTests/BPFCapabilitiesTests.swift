import Testing

@testable import Platform

struct BPFCapabilitiesTests {
  @Test(.enabled(if: isRoot, "needs root")) func thisKernelHasWhatIsNeeded() {
    let found = BPFCapabilities.probe()
    // Every kernel from 6.3 on has all but the newest flag; ours are newer.
    #expect(found.complaints(of: .mux) == [])
    #expect(found.complaints(of: .host) == [])
    #expect(Set(found.missing.map(\.feature)).isSubset(of: [.decapsulationOfSegments]))
    #expect(found.has(.mappableArray))
  }

  @Test func whatIsMissingIsSaidOnce() {
    let denied = "eBPF is not permitted: run as root."
    let found = BPFCapabilities(missing: [
      .init(feature: .hashMap, errno: Errno(rawValue: 1), sentence: denied),
      .init(feature: .array, errno: Errno(rawValue: 1), sentence: denied),
      .init(feature: .coarseClock, errno: Errno(rawValue: 22), sentence: "optional"),
    ])
    #expect(found.complaints(of: .mux) == [denied])
    #expect(found.complaints(of: .host) == [denied])
    #expect(!found.has(.array))
    #expect(found.has(.xdp))
  }

  @Test func whatOnlyHostsNeedIsNoComplaintOfAMux() {
    let found = BPFCapabilities(missing: [
      .init(feature: .redirectPeer, errno: nil, sentence: "peer"),
      .init(feature: .packetType, errno: nil, sentence: "type"),
    ])
    #expect(found.complaints(of: .mux) == [])
    #expect(found.complaints(of: .host) == ["peer", "type"])
  }

  @Test(arguments: BPFFeature.allCases)
  func everyFeatureHasASentence(feature: BPFFeature) {
    #expect(feature.sentence.hasSuffix("."))
    #expect(feature.sentence.filter { $0 == "." }.count <= 3)
  }

  @Test func theVerifiersLogIsCutToItsEnd() {
    let text =
      (1...40).map { "\($0): (b7) r0 = \($0)" }.joined(separator: "\n")
      + "\nR0 !read_ok\nprocessed 40 insns\n"
    let log = VerifierLog(text)
    #expect(log.lines.count == Limits.verifierLogLines)
    #expect(log.lines.last == "R0 !read_ok")
    #expect(log.instruction == 40)
    #expect(VerifierLog("").lines.isEmpty)
    #expect(VerifierLog("no numbers: here").instruction == nil)
  }
}
