import BGP
import Testing
import Wire

@Suite struct MessageTests {
  static let marker = "ffffffff ffffffff ffffffff ffffffff"

  static let path = ASPath([.sequence([65001, 400_000]), .set([1, 2])])

  static let messages: [Message] = [
    .keepalive,
    .open(Peer.open),
    .open(OpenMessage(autonomousSystem: 7, holdTimeSeconds: 0, identifier: IPv4Address(1, 2, 3, 4), capabilities: [])),
    .open(
      OpenMessage(
        autonomousSystem: 4_200_000_000, holdTimeSeconds: 3, identifier: IPv4Address(9, 9, 9, 9),
        capabilities: [
          .fourOctetAS(4_200_000_000), .multiprotocol(AddressFamily(afi: 2, safi: 1)),
          .gracefulRestart(
            GracefulRestart(
              flags: 8, timeSeconds: 120, families: [.init(family: .ipv4Unicast, flags: 0x80)])),
          .unknown(code: 73, value: [1, 2, 3]),
        ])),
    // More than 253 octets of capabilities take the form of RFC 9072.
    .open(
      OpenMessage(
        autonomousSystem: 65000, holdTimeSeconds: 180, identifier: IPv4Address(9, 9, 9, 9),
        capabilities: (0..<20).map { .unknown(code: 200 + $0, value: [UInt8](repeating: $0, count: 50)) })),
    .notification(NotificationMessage(code: 6, subcode: 4, data: [])),
    .notification(.administrativeShutdown("moving to rack 7")),
    .routeRefresh(RouteRefreshMessage(family: .ipv4Unicast)),
    .update(.endOfRIB),
    .update(UpdateMessage(withdrawn: vips(814))),
    .update(
      UpdateMessage(
        withdrawn: [IPv4Prefix(.any, length: 0)],
        attributes: [
          .origin(.egp), .asPath(path), .nextHop(IPv4Address(10, 0, 0, 1)), .multiExitDiscriminator(50),
          .atomicAggregate, .aggregator(autonomousSystem: 70_000, IPv4Address(10, 0, 0, 2)),
          .communities([0xffff_ff01, 65000 << 16 | 666]),
          .unknown(flags: 0xe0, code: 32, value: [UInt8](repeating: 9, count: 300)),
        ],
        announced: (0...32).map { IPv4Prefix(IPv4Address(255, 255, 255, 255), length: $0) })),
    .update(
      UpdateMessage(
        attributes: [
          .origin(.igp), .asPath(ASPath([])),
          .multiprotocolReach(.ipv4Unicast, nextHop: [10, 0, 0, 1], .ipv4(vips(3))),
        ])),
    .update(UpdateMessage(attributes: [.multiprotocolUnreach(.ipv4Unicast, .ipv4(vips(3)))])),
  ]

  @Test("what is written is read back", arguments: messages)
  func roundTrip(_ message: Message) throws {
    let octets = message.octets(fourOctetAS: true)
    var framer = Framer()
    var input = octets[...]
    let raw = try #require(try framer.next(from: &input))
    #expect(input.isEmpty)
    let decoded = try Message.decode(raw, rules: Peer.rules)
    #expect(decoded.message == message)
    #expect(decoded.faults.isEmpty)
    #expect(raw.octets == octets)
  }

  @Test("any cut of the stream gives the same messages", arguments: [1, 2, 7, 18, 19, 20, 4095, 10_000])
  func framing(_ chunk: Int) throws {
    let stream = Self.messages.flatMap { $0.octets(fourOctetAS: true) }
    var framer = Framer()
    var found: [Message] = []
    for start in stride(from: 0, to: stream.count, by: chunk) {
      var input = stream[start..<min(start + chunk, stream.count)]
      while let raw = try framer.next(from: &input) {
        found.append(try Message.decode(raw, rules: Peer.rules).message)
      }
      #expect(input.isEmpty)
      #expect(framer.pendingCount < Limits.maximumMessageLength)
    }
    #expect(found == Self.messages)
  }

  @Test("our OPEN, octet by octet")
  func open() throws {
    var session = Session(Peer.configuration)
    _ = session.handle(.start)
    let octets = try #require(
      session.handle(.connected).compactMap { effect -> [UInt8]? in
        if case .send(let octets) = effect { octets } else { nil }
      }.first)
    #expect(
      octets
        == hex(
          """
          \(Self.marker) 002d 01   # marker, 45 octets, OPEN
          04 fde9 0009 0a010102    # version 4, AS 65001, hold time 9 s, identifier 10.1.1.2
          10                       # optional parameters: 16 octets
          02 0e                    # capabilities: 14 octets
          01 04 0001 00 01         # IPv4 unicast
          02 00                    # route refresh
          41 04 0000fde9           # four-octet AS 65001; no graceful restart
          """))
  }

  @Test("an UPDATE for an external peer, octet by octet")
  func update() throws {
    var session = Peer.session(in: .established)
    let effects = session.handle(.announce([IPv4Prefix(IPv4Address(203, 0, 113, 10), length: 32)]))
    guard case .send(let octets)? = effects.first else {
      Issue.record("nothing sent: \(effects)")
      return
    }
    #expect(
      octets
        == hex(
          """
          \(Self.marker) 0030 02   # marker, 48 octets, UPDATE
          0000                     # nothing withdrawn
          0014                     # path attributes: 20 octets
          40 01 01 00              # ORIGIN IGP
          40 02 06 02 01 0000fde9  # AS_PATH: a sequence of one, 65001
          40 03 04 0a010102        # NEXT_HOP 10.1.1.2
          20 cb00710a              # 203.0.113.10/32
          """))
  }

  @Test("the shutdown text is cut after a whole character and read without control characters")
  func shutdownText() {
    let long = NotificationMessage.administrativeShutdown(String(repeating: "ü", count: 100))
    #expect(long.data.count == 129)
    #expect(long.shutdownText == String(repeating: "ü", count: 64))
    let odd = NotificationMessage.administrativeShutdown("x" + String(repeating: "ü", count: 100))
    #expect(odd.data.count == 128)
    let evil = NotificationMessage(code: 6, subcode: 2, data: [3, 0x61, 0x0a, 0x62])
    #expect(evil.shutdownText == "a\u{fffd}b")
    #expect(evil.description == "Cease (6), Administrative Shutdown (2): \"a\u{fffd}b\"")
  }

  @Test(
    "a shutdown text that is none",
    arguments: [
      (6, 2, []), (6, 2, [0]), (6, 2, [5, 0x61]), (6, 2, [1, 0xff]), (6, 3, [1, 0x61]), (2, 2, [1, 0x61]),
    ] as [(UInt8, UInt8, [UInt8])])
  func noShutdownText(_ code: UInt8, _ subcode: UInt8, _ data: [UInt8]) {
    #expect(NotificationMessage(code: code, subcode: subcode, data: data).shutdownText == nil)
  }

  @Test("a peer of two-octet numbers: AS_TRANS is replaced from AS4_PATH (RFC 6793 §4.2.3)")
  func twoOctetPeer() throws {
    let old = UpdateRules(fourOctetAS: false, isInternal: false)
    let sent = UpdateMessage(
      attributes: [
        .origin(.igp), .asPath(ASPath([.sequence([100, 70_000, 80_000])])), .nextHop(IPv4Address(10, 0, 0, 1)),
        .aggregator(autonomousSystem: 70_000, IPv4Address(10, 0, 0, 2)),
        .as4Path(ASPath([.sequence([70_000, 80_000])])),
        .as4Aggregator(autonomousSystem: 70_000, IPv4Address(10, 0, 0, 2)),
      ], announced: vips(1))
    let read = try #require(Peer.message(Message.update(sent).octets(fourOctetAS: false), old))
    guard case .update(let update) = read else { return }
    #expect(update.attributes.contains(.asPath(ASPath([.sequence([100, 70_000, 80_000])]))))
    #expect(update.attributes.contains(.aggregator(autonomousSystem: 70_000, IPv4Address(10, 0, 0, 2))))
    #expect(!update.attributes.contains { $0.code == 17 || $0.code == 18 })
  }

  @Test("an AS4_PATH that cannot be right is not believed")
  func doubtfulTail() throws {
    let old = UpdateRules(fourOctetAS: false, isInternal: false)
    let head: [PathAttribute] = [.origin(.igp), .nextHop(IPv4Address(10, 0, 0, 1))]
    let tooLong = head + [.asPath(ASPath([.sequence([100])])), .as4Path(ASPath([.sequence([1, 2])]))]
    let outdated =
      head + [
        .asPath(ASPath([.sequence([100, 23456])])), .aggregator(autonomousSystem: 9, .any),
        .as4Path(ASPath([.sequence([70_000])])),
      ]
    for (attributes, expected) in [(tooLong, [100]), (outdated, [100, 23456])] as [([PathAttribute], [UInt32])] {
      let sent = Message.update(UpdateMessage(attributes: attributes, announced: vips(1)))
      guard case .update(let update)? = Peer.message(sent.octets(fourOctetAS: false), old) else {
        Issue.record("not read")
        continue
      }
      #expect(update.attributes.contains(.asPath(ASPath([.sequence(expected)]))))
    }
  }
}
