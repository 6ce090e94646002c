import BGP
import Logging
import Speaker
import Testing
import Wire

@Suite struct ConfigurationTests {
  static let good = SpeakerConfiguration(
    localAddress: IPv4Address(127, 0, 0, 1), localAS: 65001, routerID: IPv4Address(10, 1, 1, 2),
    neighbors: [NeighborConfiguration(address: IPv4Address(127, 0, 0, 9), remoteAS: 65000)])

  /// A slip of the operator, and words that the refusal must have.
  struct Row: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var change: @Sendable (inout SpeakerConfiguration) -> Void

    init(_ words: String, _ change: @escaping @Sendable (inout SpeakerConfiguration) -> Void) {
      testDescription = words
      self.change = change
    }
  }

  static let rows = [
    Row("localAddress is 0.0.0.0") { $0.localAddress = .any },
    Row("localAS is 0") { $0.localAS = 0 },
    Row("routerID is 0.0.0.0") { $0.routerID = .any },
    Row("holdTimeSeconds is 2") { $0.holdTimeSeconds = 2 },
    Row("holdTimeSeconds is -1") { $0.holdTimeSeconds = -1 },
    Row("holdTimeSeconds is 65536") { $0.holdTimeSeconds = 65536 },
    Row("connectRetrySeconds is 0") { $0.connectRetrySeconds = 0 },
    Row("neighbor number 1 has address 0.0.0.0") { $0.neighbors[0].address = .any },
    Row("neighbor 127.0.0.9: port is 0") { $0.neighbors[0].port = 0 },
    Row("neighbor 127.0.0.9: remoteAS is 0") { $0.neighbors[0].remoteAS = 0 },
    Row("the password has 0 octets") { $0.neighbors[0].password = "" },
    Row("the password has 81 octets") { $0.neighbors[0].password = String(repeating: "x", count: 81) },
    Row("is listed twice") { $0.neighbors.append($0.neighbors[0]) },
    Row("65 neighbors") { $0.neighbors = Array(repeating: $0.neighbors[0], count: 65) },
  ]

  @Test("what cannot work is refused with a sentence", arguments: rows)
  func refused(_ row: Row) {
    var configuration = Self.good
    row.change(&configuration)
    let speaker = SpeakerTests.speaker(configuration)
    #expect {
      try speaker.start()
    } throws: { error in
      guard let error = error as? SpeakerError else { return false }
      return error.code == .configuration && error.description.contains(row.testDescription)
    }
    #expect(speaker.sessions().isEmpty)
  }

  @Test("a speaker starts once; a stop before is nothing")
  func once() throws {
    let speaker = SpeakerTests.speaker(Self.good)
    speaker.stop(reason: "nothing to stop")
    try speaker.start()
    #expect(throws: SpeakerError.self) { try speaker.start() }
    speaker.stop(reason: "first")
    speaker.stop(reason: "second")
    #expect(throws: SpeakerError.self) { try speaker.start() }
    #expect(speaker.sessions().first?.lastError == "stopped: first")
  }

  @Test("an address that is not ours is named")
  func foreignAddress() throws {
    var configuration = Self.good
    configuration.localAddress = IPv4Address(192, 0, 2, 1)
    let speaker = SpeakerTests.speaker(configuration)
    defer { speaker.stop(reason: "end of test") }
    try speaker.start()
    try eventually("the failure is told") { speaker.sessions().first?.lastError != nil }
    #expect(
      speaker.sessions().first?.lastError
        == "cannot use the local address 192.0.2.1: Cannot assign requested address; is it configured on this node?")
  }
}
