import HostAgent
import Testing
import Wire

/// Transcripts: what happens on the left, what the prober wants on the right.
@Suite("Prober")
struct ProberTests {
  static func target(
    _ id: UInt32 = 1, _ method: ProbeTarget.Method = .tcp, threshold: Int = 2, interval: Int = 2000
  ) -> ProbeTarget {
    ProbeTarget(
      id: id, machine: 3, locator: locator1, dip: dip, vip: vip, proto: .tcp, vipPort: 80, method: method,
      port: 8080, intervalMilliseconds: interval, timeoutMilliseconds: 1000, threshold: threshold)
  }

  /// Ticks until the prober opens a connection; returns the time.
  static func tickUntilOpen(_ prober: inout Prober, from now: UInt64) -> UInt64? {
    for time in stride(from: now, to: now + 10_000, by: 50) {
      for case .open in prober.handle(.tick(now: time)) { return time }
    }
    return nil
  }

  static func changes(_ outputs: [Prober.Output]) -> [String] {
    outputs.compactMap {
      if case .healthChanged(let result) = $0 {
        return "\(result.isHealthy ? "up" : "down"): \(result.reason)"
      }
      return nil
    }
  }

  @Test("The first result decides, after that as many as the threshold")
  func thresholds() throws {
    var prober = Prober()
    #expect(prober.handle(.configure([Self.target()])).isEmpty)
    var now: UInt64 = 5000
    /// Each row: what the probe meets, what is reported.
    let rows: [(Prober.Input, [String])] = [
      (.connected(id: 1), ["up: connection accepted"]), (.connected(id: 1), []), (.refused(id: 1), []),
      (.connected(id: 1), []), (.refused(id: 1), []), (.refused(id: 1), ["down: connection refused"]),
      (.refused(id: 1), []), (.connected(id: 1), []), (.connected(id: 1), ["up: connection accepted"]),
    ]
    for (input, expected) in rows {
      now = try #require(Self.tickUntilOpen(&prober, from: now))
      let outputs = prober.handle(input)
      #expect(outputs.first == .close(id: 1))
      #expect(Self.changes(outputs) == expected)
      #expect(prober.handle(input).isEmpty, "a probe has one result")
    }
    #expect(prober.results.map(\.isHealthy) == [true])
  }

  @Test("No answer in time is a failure; the next probe keeps the beat")
  func timeOut() throws {
    var prober = Prober()
    _ = prober.handle(.configure([Self.target()]))
    let start = try #require(Self.tickUntilOpen(&prober, from: 0))
    #expect(prober.handle(.tick(now: start + 999)).isEmpty)
    let late = prober.handle(.tick(now: start + 1000))
    #expect(late.first == .close(id: 1))
    #expect(Self.changes(late) == ["down: timed out"])
    let next = try #require(Self.tickUntilOpen(&prober, from: start + 1000))
    #expect(next - start <= 2000 && next - start > 1900)
  }

  /// Pieces of an answer, and what it says.
  static let answers: [([String], String)] = [
    (["HTTP/1.1 200 OK\r\n"], "up: status 200"), (["HTTP/1.0 200\n"], "up: status 200"),
    (["H", "TTP/1", ".1 2", "00 O", "K\r", "\nServer: x\r\n\r\nhello"], "up: status 200"),
    (["HTTP/1.1 503 Service Unavailable\r\n"], "down: status 503"),
    (["HTTP/1.1 301 Moved Permanently\r\n"], "down: status 301"),
    (["HTTP/1.1 204 No Content\r\n"], "down: status 204"),
    (["SSH-2.0-OpenSSH_9.2\r\n"], "down: not an HTTP answer"), (["\r\n"], "down: not an HTTP answer"),
    (["HTTP/2 200 OK\r\n"], "down: not an HTTP answer"),
    (["HTTP/1.1 20\r\n"], "down: not an HTTP answer"), (["HTTP/1.1 2000 OK\r\n"], "down: not an HTTP answer"),
    (["HTTP/1.1  200 OK\r\n"], "down: not an HTTP answer"),
    (["HTTP/1.1 -20 OK\r\n"], "down: not an HTTP answer"),
    ([String(repeating: "\u{0}", count: 10)], "down: not an HTTP answer"),
    (
      ["HTTP/1.1 200 " + String(repeating: "a", count: 1_000_000)], "down: status line longer than 1024 bytes"
    ),
  ]

  @Test("An HTTP answer is read as it comes, as far as its status", arguments: answers)
  func http(pieces: [String], expected: String) throws {
    var prober = Prober()
    _ = prober.handle(.configure([Self.target(1, .http(path: "/healthz"))]))
    _ = try #require(Self.tickUntilOpen(&prober, from: 0))
    let request = try #require(prober.handle(.connected(id: 1)).first)
    let text =
      "GET /healthz HTTP/1.1\r\nHost: 10.0.0.11:8080\r\nUser-Agent: ananta-probe\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    #expect(request == .send(id: 1, Array(text.utf8)))
    var outputs: [Prober.Output] = []
    for piece in pieces { outputs += prober.handle(.received(id: 1, Array(piece.utf8))) }
    #expect(Self.changes(outputs) == [expected])
    #expect(prober.handle(.closed(id: 1)).isEmpty)
  }

  @Test("An answer that ends before its status does, and one that never begins")
  func cut() throws {
    for piece in ["", "HTTP/1.1 200 OK"] {
      var prober = Prober()
      _ = prober.handle(.configure([Self.target(1, .http(path: "/"))]))
      _ = try #require(Self.tickUntilOpen(&prober, from: 0))
      _ = prober.handle(.connected(id: 1))
      _ = prober.handle(.received(id: 1, Array(piece.utf8)))
      #expect(Self.changes(prober.handle(.closed(id: 1))) == ["down: connection closed without an answer"])
    }
  }

  @Test("A change of configuration: what asks the same stays known, what is gone is closed")
  func reconfigured() throws {
    var prober = Prober()
    _ = prober.handle(.configure([Self.target()]))
    _ = try #require(Self.tickUntilOpen(&prober, from: 0))
    _ = prober.handle(.connected(id: 1))
    _ = prober.handle(.configure([Self.target(1, .tcp, threshold: 5, interval: 500)]))
    #expect(prober.results.map(\.isHealthy) == [true])
    let now = try #require(Self.tickUntilOpen(&prober, from: 1000))
    #expect(prober.handle(.configure([Self.target(2)])) == [.close(id: 1)])
    #expect(prober.results.isEmpty)
    #expect(prober.handle(.refused(id: 1)).isEmpty)
    _ = try #require(Self.tickUntilOpen(&prober, from: now))
    #expect(prober.handle(.configure([Self.target(2, .http(path: "/"))])) == [.close(id: 2)])
  }

  @Test("Probes of many VMs do not begin together")
  func spread() {
    var prober = Prober()
    let targets = (1...200).map { number in
      var target = Self.target(UInt32(number))
      target.locator = IPv4Address(10, 64, 1, UInt8(number))
      return target
    }
    _ = prober.handle(.configure(targets))
    var most = 0
    var all = 0
    for now in stride(from: UInt64(0), through: 2050, by: 50) {
      var opened = 0
      for case .open in prober.handle(.tick(now: now)) { opened += 1 }
      most = max(most, opened)
      all += opened
    }
    #expect(all == 200)
    #expect(most < 20, "200 in 40 ticks are 5 each")
  }
}
