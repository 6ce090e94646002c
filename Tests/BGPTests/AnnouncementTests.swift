import BGP
import Testing
import Wire

@Suite struct AnnouncementTests {
  /// The router's table: what it has after it has read all UPDATEs.
  private struct Table {
    var routes: Set<IPv4Prefix> = []
    var attributes: [[PathAttribute]] = []

    mutating func read(_ effects: [SessionEffect], rules: UpdateRules = Peer.rules) {
      for case .update(let update) in Peer.sent(effects, rules: rules) {
        for prefix in update.withdrawn { #expect(routes.remove(prefix) != nil, "withdrawn but not announced") }
        for prefix in update.announced { #expect(routes.insert(prefix).inserted, "announced twice") }
        if !update.announced.isEmpty { attributes.append(update.attributes) }
      }
    }
  }

  @Test("the router's table follows a random history of sets")
  func history() {
    var random = SplitMix(seed: 42)
    var session = Peer.session(in: .established)
    var table = Table()
    for _ in 0..<200 {
      let wanted = (0..<Int.random(in: 0...60, using: &random)).map { _ in
        IPv4Prefix(
          IPv4Address(number: UInt32.random(in: 0...40, using: &random) << 8),
          length: UInt8.random(in: 20...32, using: &random))
      }
      table.read(session.handle(.announce(wanted)))
      #expect(table.routes == Set(wanted))
      #expect(session.announcedCount == Set(wanted).count)
    }
  }

  @Test("messages are as few as can be", arguments: [(1, 1), (810, 1), (811, 2), (2000, 3), (20_000, 25)])
  func packing(_ count: Int, _ messages: Int) {
    var session = Peer.session(in: .established)
    let sent = Peer.sent(session.handle(.announce(vips(count).reversed())))
    #expect(sent.count == messages)
    let withdrawn = Peer.sent(session.handle(.announce([])))
    #expect(withdrawn.count == (count + 813) / 814)
  }

  @Test("too many prefixes are cut at the upper end")
  func maximum() {
    var session = Peer.session(in: .established)
    var table = Table()
    table.read(session.handle(.announce(vips(Limits.maximumPrefixes + 10))))
    #expect(table.routes == Set(vips(Limits.maximumPrefixes)))
  }

  @Test("an internal peer hears an empty AS_PATH and LOCAL_PREF")
  func internalPeer() {
    let configuration = SessionConfiguration(
      localAS: 65000, routerID: IPv4Address(10, 1, 1, 2), nextHop: IPv4Address(10, 1, 1, 9), remoteAS: 65000,
      holdTimeSeconds: 9, connectRetrySeconds: 5)
    var session = Peer.session(in: .established, configuration)
    var table = Table()
    let rules = UpdateRules(fourOctetAS: true, isInternal: true)
    table.read(session.handle(.announce(vips(1))), rules: rules)
    #expect(
      table.attributes == [
        [.origin(.igp), .asPath(ASPath([])), .nextHop(IPv4Address(10, 1, 1, 9)), .localPreference(100)]
      ])
  }

  @Test("a two-octet peer hears AS_TRANS and, beside it, the real number")
  func twoOctetPeer() {
    let configuration = SessionConfiguration(
      localAS: 4_200_000_001, routerID: IPv4Address(10, 1, 1, 2), nextHop: IPv4Address(10, 1, 1, 2),
      remoteAS: 65000, holdTimeSeconds: 9, connectRetrySeconds: 5)
    var open = Peer.open
    open.capabilities = []
    var session = Peer.session(in: .established, configuration, open: open)
    #expect(session.state == .established)
    let effects = session.handle(.announce(vips(1)))
    guard case .send(let octets)? = effects.first else {
      Issue.record("nothing sent")
      return
    }
    #expect(
      Array(octets[23...]) == hex(
        """
        4001 01 00                      # ORIGIN IGP
        4002 04 02 01 5ba0              # AS_PATH: AS_TRANS
        4003 04 0a010102                # NEXT_HOP
        c011 06 02 01 fa56ea01          # AS4_PATH: 4200000001
        20 cb000000                     # 203.0.0.0/32
        """))
  }

  @Test("a new connection hears everything again")
  func newConnection() {
    var session = Peer.session(in: .established)
    _ = session.handle(.announce(vips(5)))
    _ = session.handle(.connectionFailed("reset"))
    #expect(session.announcedCount == 0)
    _ = session.handle(.announce(vips(7)))
    for event in [
      .timerExpired(.idleHold), .connected, .received(Peer.octets(.open(Peer.open))),
    ] as [SessionEvent] {
      _ = session.handle(event)
    }
    var table = Table()
    table.read(session.handle(.received(Peer.octets(.keepalive))))
    #expect(table.routes == Set(vips(7)))
  }
}
