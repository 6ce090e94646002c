import BGP
import Testing
import Wire

/// Lives of sessions, read from top to bottom.
@Suite struct SessionTranscriptTests {
  private func tell(_ session: inout Session, _ event: SessionEvent) -> [String] {
    Peer.transcript(session.handle(event))
  }

  @Test("from the start to a route, and to the end by hand")
  func wholeLife() {
    var session = Session(Peer.configuration)
    #expect(tell(&session, .announce(vips(2))) == [])
    #expect(tell(&session, .start) == ["arm connectRetry 5000", "connect", "state connect"])
    #expect(
      tell(&session, .connected)
        == ["disarm connectRetry", "send OPEN", "arm hold 240000", "state openSent"])
    #expect(
      tell(&session, .received(Peer.octets(.open(Peer.open))))
        == ["send KEEPALIVE", "arm keepalive 3000", "arm hold 9000", "state openConfirm"])
    #expect(
      tell(&session, .received(Peer.octets(.keepalive)))
        == ["arm hold 9000", "state established", "send UPDATE -0 +2", "arm keepalive 3000", "send End-of-RIB"])
    #expect(session.announcedCount == 2)
    #expect(tell(&session, .timerExpired(.keepalive)) == ["send KEEPALIVE", "arm keepalive 3000"])
    #expect(tell(&session, .received(Peer.octets(.keepalive))) == ["arm hold 9000"])
    #expect(tell(&session, .announce(vips(2))) == [])
    #expect(
      tell(&session, .announce(vips(2, from: 1)))
        == ["send UPDATE -1 +0", "send UPDATE -0 +1", "arm keepalive 3000"])
    #expect(
      tell(&session, .stop(reason: "maintenance"))
        == ["send NOTIFICATION 6/2", "disarm hold", "disarm keepalive", "close", "state idle"])
    #expect(session.counters.establishments == 1)
    #expect(session.counters.updatesSent == 4)
  }

  @Test("the peer refuses us, again and again: the wait in Idle doubles up to sixteen times")
  func damping() {
    var session = Session(Peer.configuration)
    _ = session.handle(.start)
    var waits: [String] = []
    for _ in 0..<7 {
      _ = session.handle(.connected)
      let refusal = NotificationMessage(code: 2, subcode: 2, data: [])
      waits += tell(&session, .received(Peer.octets(.notification(refusal)))).filter { $0.hasPrefix("arm") }
      _ = session.handle(.timerExpired(.idleHold))
    }
    #expect(waits == [5000, 10_000, 20_000, 40_000, 80_000, 80_000, 80_000].map { "arm idleHold \($0)" })
    #expect(session.lastError == "the peer sent OPEN Message Error (2), Bad Peer AS (2)")
    #expect(session.connectRetryCounter == 7)
  }

  @Test("a router that is away is looked for at a steady pace")
  func awayIsNoError() {
    var session = Session(Peer.configuration)
    _ = session.handle(.start)
    for _ in 0..<5 {
      let lines = tell(&session, .connectionFailed("no route to host"))
      #expect(lines == ["disarm connectRetry", "close", "state idle", "arm idleHold 5000"])
      #expect(
        tell(&session, .timerExpired(.idleHold)) == ["arm connectRetry 5000", "connect", "state connect"])
    }
    #expect(
      tell(&session, .timerExpired(.connectRetry)) == ["close", "arm connectRetry 5000", "connect"])
  }

  @Test("a connection that ends after our OPEN leads through Active")
  func throughActive() {
    var session = Peer.session(in: .openSent)
    #expect(
      tell(&session, .connectionFailed("reset"))
        == ["close", "disarm hold", "arm connectRetry 5000", "state active"])
    #expect(
      tell(&session, .timerExpired(.connectRetry)) == ["arm connectRetry 5000", "connect", "state connect"])
  }

  @Test("jitter shortens every timer but the hold time", arguments: [(0, 750), (800, 800), (5000, 1000)])
  func jitter(_ given: Int, _ used: Int) {
    var session = Session(Peer.configuration)
    session.jitterPermille = given
    #expect(tell(&session, .start).first == "arm connectRetry \(5 * used)")
    _ = session.handle(.connected)
    #expect(
      tell(&session, .received(Peer.octets(.open(Peer.open))))
        == ["send KEEPALIVE", "arm keepalive \(3 * used)", "arm hold 9000", "state openConfirm"])
  }

  @Test("the smaller hold time counts", arguments: [(9, 90, 9), (90, 9, 9), (9, 3, 3), (0, 90, 0), (90, 0, 0)])
  func holdTime(_ ours: UInt16, _ theirs: UInt16, _ used: Int) {
    let configuration = SessionConfiguration(
      localAS: 65001, routerID: IPv4Address(10, 1, 1, 2), nextHop: IPv4Address(10, 1, 1, 2), remoteAS: 65000,
      holdTimeSeconds: ours, connectRetrySeconds: 5)
    var open = Peer.open
    open.holdTimeSeconds = theirs
    var session = Peer.session(in: .openSent, configuration)
    let timers = tell(&session, .received(Peer.octets(.open(open)))).filter { $0.contains("arm") }
    #expect(session.holdTimeSeconds == used)
    #expect(
      timers == (used == 0 ? ["disarm hold"] : ["arm keepalive \(used * 1000 / 3)", "arm hold \(used * 1000)"]))
  }

  @Test("a wish for all routes is granted once per read, however often it is uttered")
  func routeRefresh() {
    var session = Peer.session(in: .established)
    _ = session.handle(.announce(vips(900)))
    let wish = Peer.octets(.routeRefresh(RouteRefreshMessage(family: .ipv4Unicast)))
    #expect(
      tell(&session, .received(wish + wish + wish))
        == ["send UPDATE -0 +810", "send UPDATE -0 +90", "arm keepalive 3000"])
    let other = RouteRefreshMessage(family: AddressFamily(afi: 2, safi: 1))
    #expect(tell(&session, .received(Peer.octets(.routeRefresh(other)))) == [])
  }

  @Test("what comes behind the end of a session is not looked at")
  func afterTheEnd() {
    var session = Peer.session(in: .established)
    let cease = Peer.octets(.notification(.administrativeShutdown("bye")))
    #expect(
      tell(&session, .received(cease + [UInt8](repeating: 7, count: 5000)))
        == ["disarm hold", "disarm keepalive", "close", "state idle", "arm idleHold 5000"])
    #expect(session.lastError == "the peer sent Cease (6), Administrative Shutdown (2): \"bye\"")
  }

  @Test("after a stop nothing starts by itself")
  func stopInIdle() {
    var session = Peer.session(in: .connect)
    _ = session.handle(.connectionFailed("refused"))
    #expect(tell(&session, .stop(reason: "")) == ["disarm idleHold"])
    #expect(session.state == .idle)
  }

  @Test("received routes are counted and forgotten")
  func receivedRoutes() {
    var session = Peer.session(in: .established)
    let update = UpdateMessage(
      attributes: [.origin(.igp), .asPath(ASPath([])), .nextHop(IPv4Address(10, 0, 0, 1))], announced: vips(800))
    let octets = Peer.octets(.update(update)) + Peer.octets(.update(UpdateMessage(withdrawn: vips(3))))
    for _ in 0..<10 { #expect(tell(&session, .received(octets)) == ["arm hold 9000", "arm hold 9000"]) }
    #expect(session.counters.prefixesReceived == 8000)
    #expect(session.counters.prefixesWithdrawn == 30)
    #expect(session.counters.updatesReceived == 20)
  }
}
