import BGP
import Logging
import Speaker
import Testing
import Wire

/// The speaker against a peer that misbehaves on purpose; needs no root.
@Suite(.timeLimit(.minutes(1))) struct SpeakerTests {
  static let home = IPv4Address(127, 0, 0, 1)
  static let open = OpenMessage(
    autonomousSystem: 65000, holdTimeSeconds: 90, identifier: IPv4Address(10, 1, 1, 1),
    capabilities: [.multiprotocol(.ipv4Unicast), .fourOctetAS(65000)])

  static func configuration(_ peer: ScriptedPeer, holdTimeSeconds: Int = 9) -> SpeakerConfiguration {
    SpeakerConfiguration(
      localAddress: home, localAS: 65001, routerID: IPv4Address(10, 1, 1, 2), holdTimeSeconds: holdTimeSeconds,
      connectRetrySeconds: 1,
      neighbors: [NeighborConfiguration(address: home, port: peer.port, remoteAS: 65000)])
  }

  static func speaker(_ configuration: SpeakerConfiguration) -> Speaker {
    Speaker(configuration, logger: Logger(label: "bgp") { _ in SwiftLogNoOpLogHandler() })
  }

  /// Octets that a peer may send after the OPENs, and the answer of RFC 4271 §6.
  struct Row: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var octets: [UInt8]
    var answer: NotificationMessage

    init(_ name: String, _ octets: [UInt8], _ code: UInt8, _ subcode: UInt8, _ data: [UInt8] = []) {
      testDescription = name
      self.octets = octets
      answer = NotificationMessage(code: code, subcode: subcode, data: data)
    }
  }

  static let marker = [UInt8](repeating: 0xff, count: 16)
  static let keepalive = Message.keepalive.octets(fourOctetAS: true)

  static let rows = [
    Row("garbage", [UInt8](repeating: 0x47, count: 60_000), 1, 1),
    Row("bad length", marker + [0x10, 0x01, 2], 1, 2, [0x10, 0x01]),
    Row("bad type", marker + [0, 19, 9], 1, 3, [9]),
    Row("an UPDATE too early", Message.update(.endOfRIB).octets(fourOctetAS: true), 5, 2, [2]),
    Row("a second OPEN", keepalive + Message.open(open).octets(fourOctetAS: true), 5, 3, [1]),
    Row("bad attribute length", keepalive + marker + [0, 23, 2, 0, 0, 0, 9], 3, 1),
    Row("bad prefix", keepalive + marker + [0, 28, 2, 0, 0, 0, 0, 33, 1, 2, 3, 4], 3, 10),
  ]

  @Test("malformed BGP gets the right NOTIFICATION on the wire", arguments: rows)
  func malformed(_ row: Row) throws {
    let peer = try ScriptedPeer()
    let speaker = Self.speaker(Self.configuration(peer))
    defer { end(speaker, peer) }
    try speaker.start()
    try peer.accept()
    guard case .open = try peer.read() else {
      Issue.record("no OPEN")
      return
    }
    peer.send(.open(Self.open))
    #expect(try peer.read() == .keepalive)
    peer.send(row.octets)
    var answer = try peer.read()
    while answer == .update(.endOfRIB) { answer = try peer.read() }
    #expect(answer == .notification(row.answer))
    // Closed in order: a reset could have destroyed the NOTIFICATION.
    #expect(peer.isAtEnd())
    peer.hangUp()
    try peer.accept()
    #expect(speaker.sessions().first?.lastError?.isEmpty == false)
  }

  @Test("a peer in the wrong AS is told so")
  func wrongAS() throws {
    let peer = try ScriptedPeer()
    let speaker = Self.speaker(Self.configuration(peer))
    defer { end(speaker, peer) }
    try speaker.start()
    try peer.accept()
    _ = try peer.read()
    var open = Self.open
    open.capabilities = [.fourOctetAS(64999)]
    peer.send(.open(open))
    #expect(try peer.read() == .notification(NotificationMessage(code: 2, subcode: 2, data: [])))
  }

  @Test("hold timer: a silent peer is given up, and told why")
  func silentPeer() throws {
    let peer = try ScriptedPeer()
    let speaker = Self.speaker(Self.configuration(peer, holdTimeSeconds: 3))
    defer { end(speaker, peer) }
    try speaker.start()
    try peer.accept()
    _ = try peer.read()
    peer.send(.open(Self.open))
    peer.send(.keepalive)
    var keepalives = 0
    while true {
      let message = try peer.read()
      if case .notification(let notification) = message {
        #expect(notification == NotificationMessage(code: 4, subcode: 0, data: []))
        break
      }
      if message == .keepalive { keepalives += 1 }
    }
    // One answers the OPEN; one second less jitter between the others.
    #expect(3...5 ~= keepalives)
  }

  @Test("hold time 0: nobody sends KEEPALIVEs and nobody gives up")
  func noHoldTime() async throws {
    let peer = try ScriptedPeer()
    let speaker = Self.speaker(Self.configuration(peer, holdTimeSeconds: 0))
    try speaker.start()
    try peer.accept()
    _ = try peer.read()
    peer.send(.open(Self.open))
    peer.send(.keepalive)
    #expect(try peer.read() == .keepalive)
    #expect(try peer.read() == .update(.endOfRIB))
    #expect(peer.isSilent(seconds: 1))
    async let stopped: Void = speaker.stop(reason: "done")
    #expect(try peer.read() == .notification(.administrativeShutdown("done")))
    peer.hangUp()
    await stopped
  }

  /// The peer first: a stop waits for peers that do not hang up.
  private func end(_ speaker: Speaker, _ peer: ScriptedPeer) {
    peer.hangUp()
    speaker.stop(reason: "end of test")
  }

  @Test("the set counts, not how often it is told")
  func announcements() throws {
    let peer = try ScriptedPeer()
    let speaker = Self.speaker(Self.configuration(peer))
    defer { end(speaker, peer) }
    let one = [IPv4Prefix(IPv4Address(203, 0, 113, 1), length: 32)]
    let two = [IPv4Prefix(IPv4Address(203, 0, 113, 2), length: 32)]
    speaker.announce(one)
    try speaker.start()
    try peer.accept()
    _ = try peer.read()
    peer.send(.open(Self.open))
    peer.send(.keepalive)
    #expect(try peer.read() == .keepalive)
    guard case .update(let first) = try peer.read() else {
      Issue.record("no UPDATE")
      return
    }
    #expect(first.announced == one)
    #expect(try peer.read() == .update(.endOfRIB))
    for _ in 0..<1000 { speaker.announce(one) }
    speaker.announce(two)
    #expect(try peer.read() == .update(UpdateMessage(withdrawn: one)))
    guard case .update(let second) = try peer.read() else {
      Issue.record("no UPDATE")
      return
    }
    #expect(second.announced == two)
  }
}
