import BGP
import Testing
import Wire

/// An attribute that does not end the session: what RFC 7606 makes of it.
struct FaultRow: CustomTestStringConvertible, Sendable {
  var testDescription: String
  var attributes: [UInt8]
  var severity: UpdateSeverity
  var subcode: UInt8
  var data: [UInt8]
  var rules: UpdateRules

  init(
    _ name: String, _ attributes: String, _ severity: UpdateSeverity, _ subcode: UInt8, _ data: String? = nil,
    rules: UpdateRules = Peer.rules
  ) {
    testDescription = name
    self.attributes = hex(attributes)
    (self.severity, self.subcode, self.rules) = (severity, subcode, rules)
    self.data = data.map { hex($0) } ?? self.attributes
  }
}

@Suite struct UpdateFaultTests {
  static let origin = "4001 01 00"
  static let path = "4002 06 0201 0000fde8"
  static let nextHop = "4003 04 0a010101"
  static let good = [origin, path, nextHop]
  static let old = UpdateRules(fourOctetAS: false, isInternal: false)
  static let oldPath = "4002 04 0201 fde8"
  static let inside = UpdateRules(fourOctetAS: true, isInternal: true)

  /// Attributes of which one is replaced or missing.
  static let mandatory = [
    FaultRow("ORIGIN 3", "4001 01 03 \(path) \(nextHop)", .treatAsWithdraw, 6, "4001 01 03"),
    FaultRow("ORIGIN of two octets", "4001 02 0000 \(path) \(nextHop)", .treatAsWithdraw, 5, "4001 02 0000"),
    FaultRow("ORIGIN said to be optional", "c001 01 00 \(path) \(nextHop)", .treatAsWithdraw, 4, "c001 01 00"),
    FaultRow("no ORIGIN", "\(path) \(nextHop)", .treatAsWithdraw, 3, "01"),
    FaultRow("AS_PATH segment type 3", "\(origin) 4002 06 0301 0000fde8 \(nextHop)", .treatAsWithdraw, 11, ""),
    FaultRow("AS_PATH segment without numbers", "\(origin) 4002 02 0200 \(nextHop)", .treatAsWithdraw, 11, ""),
    FaultRow("AS_PATH segment overrun", "\(origin) 4002 04 0201 fde8 \(nextHop)", .treatAsWithdraw, 11, ""),
    FaultRow("AS_PATH one octet left", "\(origin) 4002 07 0201 0000fde8 02 \(nextHop)", .treatAsWithdraw, 11, ""),
    FaultRow("no AS_PATH", "\(origin) \(nextHop)", .treatAsWithdraw, 3, "02"),
    FaultRow("NEXT_HOP of three octets", "\(origin) \(path) 4003 03 0a0101", .treatAsWithdraw, 5, "4003 03 0a0101"),
    FaultRow("NEXT_HOP 0.0.0.0", "\(origin) \(path) 4003 04 00000000", .treatAsWithdraw, 8, "4003 04 00000000"),
    FaultRow("NEXT_HOP 224.0.0.1", "\(origin) \(path) 4003 04 e0000001", .treatAsWithdraw, 8, "4003 04 e0000001"),
    FaultRow("no NEXT_HOP", "\(origin) \(path)", .treatAsWithdraw, 3, "03"),
    FaultRow("iBGP without LOCAL_PREF", good.joined(), .treatAsWithdraw, 3, "05", rules: inside),
  ]

  /// Attributes that come behind the three good ones.
  static let additional = [
    FaultRow("MED of three octets", "8004 03 000000", .treatAsWithdraw, 5),
    FaultRow("MED said to be transitive", "c004 04 00000001", .treatAsWithdraw, 4),
    FaultRow("LOCAL_PREF from outside", "4005 04 00000064", .attributeDiscard, 5),
    FaultRow("ATOMIC_AGGREGATE with a value", "4006 01 00", .attributeDiscard, 5),
    FaultRow("AGGREGATOR of six octets", "c007 06 fde8 0a010101", .attributeDiscard, 5),
    FaultRow("COMMUNITIES of five octets", "c008 05 0000000000", .treatAsWithdraw, 9),
    FaultRow("COMMUNITIES of none", "c008 00", .treatAsWithdraw, 9),
    FaultRow("AS4_PATH from a four-octet peer", "c011 06 0201 0000fde8", .attributeDiscard, 9),
    FaultRow("AS4_AGGREGATOR from a four-octet peer", "c012 08 0000fde8 0a010101", .attributeDiscard, 9),
    FaultRow("a second ORIGIN", "4001 01 00", .attributeDiscard, 1, ""),
    FaultRow("an attribute cut off", "c020 0c 0000", .treatAsWithdraw, 1, ""),
    FaultRow("an attribute without length", "c020", .treatAsWithdraw, 1, ""),
    FaultRow("an extended length cut off", "d020 01", .treatAsWithdraw, 1, ""),
    FaultRow("routes of IPv6", "800f 03 000201", .disableAddressFamily, 9),
  ]

  @Test("mandatory attributes", arguments: mandatory) func mandatoryAttribute(_ row: FaultRow) throws {
    try expect(row, attributes: row.attributes)
  }

  @Test("other attributes", arguments: additional) func otherAttribute(_ row: FaultRow) throws {
    try expect(row, attributes: Self.good.flatMap { hex($0) } + row.attributes)
  }

  @Test("attributes of an iBGP peer and of a two-octet peer")
  func otherPeers() throws {
    let inside = FaultRow("LOCAL_PREF of two", "4005 02 0064", .treatAsWithdraw, 5, rules: Self.inside)
    try expect(inside, attributes: Self.good.flatMap { hex($0) } + inside.attributes)
    let old = FaultRow("AGGREGATOR of eight", "c007 08 0000fde8 0a010101", .attributeDiscard, 5, rules: Self.old)
    let good = hex(Self.origin + Self.oldPath + Self.nextHop)
    try expect(old, attributes: good + old.attributes)
    let tail = FaultRow("AS4_PATH cut off", "c011 04 0201 fde8", .attributeDiscard, 9, rules: Self.old)
    try expect(tail, attributes: good + tail.attributes)
  }

  /// One fault, of the right rank, with the NOTIFICATION of RFC 4271 §6.3; the routes follow the rank.
  private func expect(_ row: FaultRow, attributes: [UInt8]) throws {
    let body =
      [0, 0, UInt8(attributes.count >> 8), UInt8(attributes.count & 0xff)] + attributes + hex("20 cb00710a")
    let (message, faults) = try Message.decode(RawMessage(type: .update, body: body), rules: row.rules)
    let fault = try #require(faults.first)
    #expect(faults.count == 1)
    #expect(fault.severity == row.severity)
    #expect(fault.error.notification == NotificationMessage(code: 3, subcode: row.subcode, data: row.data))
    guard case .update(let update) = message else { return }
    let route = IPv4Prefix(IPv4Address(203, 0, 113, 10), length: 32)
    let isWithdrawn = row.severity == .treatAsWithdraw
    #expect(update.announced == (isWithdrawn ? [] : [route]))
    #expect(update.withdrawn == (isWithdrawn ? [route] : []))
  }

  @Test("a fault is counted and the session stays")
  func sessionStays() {
    var session = Peer.session(in: .established)
    let attributes = hex("4001 01 03" + Self.path + Self.nextHop)
    let body = [0, 0, 0, UInt8(attributes.count)] + attributes + hex("20 cb00710a")
    let octets = RawMessage(type: .update, body: body).octets
    for round in 1...3 {
      let effects = session.handle(.received(octets))
      #expect(Peer.sent(effects).isEmpty)
      let reports = effects.filter { if case .report = $0 { true } else { false } }
      #expect(reports.count == (round == 1 ? 1 : 0), "one line per connection")
    }
    #expect(session.state == .established)
    #expect(session.counters.updateFaults == 3)
    #expect(session.counters.prefixesReceived == 0)
    #expect(session.counters.prefixesWithdrawn == 3)
    #expect(session.lastError == "path attribute 1 has the value 3")
  }

  @Test("ranks are ordered as RFC 7606 §2 has them")
  func order() { #expect(UpdateSeverity.allCases == UpdateSeverity.allCases.sorted()) }
}
