import BGP
import Testing
import Wire

/// A broken message and the NOTIFICATION that RFC 4271 §6 wants for it.
struct Malformed: CustomTestStringConvertible, Sendable {
  var testDescription: String
  var octets: [UInt8]
  var code: UInt8
  var subcode: UInt8
  var data: [UInt8]

  init(_ name: String, _ text: String, _ code: UInt8, _ subcode: UInt8, _ data: String = "") {
    testDescription = name
    octets = hex(text)
    (self.code, self.subcode, self.data) = (code, subcode, hex(data))
  }

  /// A message of a type with the right length in front of the body.
  init(
    _ name: String, type: UInt8, _ body: String, _ code: UInt8, _ subcode: UInt8, _ data: String = ""
  ) {
    let octets = hex(body)
    let length = UInt16(19 + octets.count)
    self.init(name, "", code, subcode, data)
    self.octets =
      [UInt8](repeating: 0xff, count: 16) + [UInt8(length >> 8), UInt8(length & 0xff), type] + octets
  }
}

@Suite struct MalformedMessageTests {
  static let marker = MessageTests.marker

  static let headers = [
    Malformed("marker", "ffffffff ffffffff ffffffff fffffffe 0013 04", 1, 1),
    Malformed("someone speaks HTTP", "47455420 2f204854 54502f31 2e310d0a 486f73", 1, 1),
    Malformed("length 18", "\(marker) 0012 04", 1, 2, "0012"),
    Malformed("length 0", "\(marker) 0000 02", 1, 2, "0000"),
    Malformed("length 4097", "\(marker) 1001 02", 1, 2, "1001"),
    Malformed("length 65535", "\(marker) ffff 02", 1, 2, "ffff"),
    Malformed("OPEN of 28", "\(marker) 001c 01", 1, 2, "001c"),
    Malformed("UPDATE of 22", "\(marker) 0016 02", 1, 2, "0016"),
    Malformed("NOTIFICATION of 20", "\(marker) 0014 03", 1, 2, "0014"),
    Malformed("KEEPALIVE of 20", "\(marker) 0014 04", 1, 2, "0014"),
    Malformed("ROUTE-REFRESH of 24", "\(marker) 0018 05", 1, 2, "0018"),
    Malformed("type 0", "\(marker) 0013 00", 1, 3, "00"),
    Malformed("type 6", "\(marker) 0013 06", 1, 3, "06"),
    Malformed("type 255", "\(marker) 0013 ff", 1, 3, "ff"),
  ]

  static let opens = [
    Malformed("version 3", type: 1, "03 fde8 005a 0a010101 00", 2, 1, "0004"),
    Malformed("version 5", type: 1, "05 fde8 005a 0a010101 00", 2, 1, "0004"),
    Malformed("AS 0", type: 1, "04 0000 005a 0a010101 00", 2, 2),
    Malformed("AS 0 in the capability", type: 1, "04 fde8 005a 0a010101 08 02 06 41 04 00000000", 2, 2),
    Malformed("a wrong AS", type: 1, "04 fde7 005a 0a010101 00", 2, 2),
    Malformed("AS_TRANS without capability", type: 1, "04 5ba0 005a 0a010101 00", 2, 2),
    Malformed("identifier 0.0.0.0", type: 1, "04 fde8 005a 00000000 00", 2, 3),
    Malformed("authentication, deprecated", type: 1, "04 fde8 005a 0a010101 04 01 02 0000", 2, 4),
    Malformed("parameter 3", type: 1, "04 fde8 005a 0a010101 02 03 00", 2, 4),
    Malformed("hold time 1", type: 1, "04 fde8 0001 0a010101 00", 2, 6),
    Malformed("hold time 2", type: 1, "04 fde8 0002 0a010101 00", 2, 6),
    Malformed("only IPv6", type: 1, "04 fde8 005a 0a010101 08 02 06 01 04 0002 00 01", 2, 7, "01 04 0001 00 01"),
    Malformed("parameters longer than the message", type: 1, "04 fde8 005a 0a010101 04 02 00", 2, 0),
    Malformed("parameters shorter than the message", type: 1, "04 fde8 005a 0a010101 00 02 00", 2, 0),
    Malformed("a parameter cut off", type: 1, "04 fde8 005a 0a010101 03 02 05 01", 2, 0),
    Malformed("a capability cut off", type: 1, "04 fde8 005a 0a010101 04 02 02 01 04", 2, 0),
    Malformed("four-octet AS of two octets", type: 1, "04 fde8 005a 0a010101 06 02 04 41 02 fde8", 2, 0),
    Malformed("graceful restart of three", type: 1, "04 fde8 005a 0a010101 07 02 05 40 03 000000", 2, 0),
    Malformed("extended length wrong", type: 1, "04 fde8 005a 0a010101 ff ff 0004 02 0000", 2, 0),
    Malformed("extended parameter cut off", type: 1, "04 fde8 005a 0a010101 ff ff 0003 02 0001", 2, 0),
  ]

  static let updates = [
    Malformed("withdrawn length too large", type: 2, "0005 0000", 3, 1),
    Malformed("attribute length too large", type: 2, "0000 0005", 3, 1),
    Malformed("both together too large", type: 2, "0002 0800 0001", 3, 1),
    Malformed("withdrawn /33", type: 2, "0006 21 01020304 05 0000", 3, 10),
    Malformed("withdrawn prefix cut off", type: 2, "0002 2001 0000", 3, 10),
    Malformed("announced /255", type: 2, "0000 0000 ff01020304", 3, 10),
    Malformed("announced prefix cut off", type: 2, "0000 0000 18 0102", 3, 10),
    Malformed("well-known attribute 99", type: 2, "0000 0004 40 63 01 07", 3, 2, "40 63 01 07"),
    Malformed(
      "two MP_REACH_NLRI", type: 2,
      "0000 0018 800e 09 000101 04 0a000001 00 800e 09 000101 04 0a000001 00", 3, 1),
    Malformed(
      "two MP_UNREACH_NLRI", type: 2, "0000 000c 800f 03 000101 800f 03 000101", 3, 1),
    Malformed("MP_REACH_NLRI cut off", type: 2, "0000 0006 800e 03 000101", 3, 9, "800e 03 000101"),
    Malformed(
      "MP_REACH_NLRI with a next hop of 16", type: 2,
      "0000 0018 800e 15 000101 10 00000000000000000000000000000000 00", 3, 9,
      "800e 15 000101 10 00000000000000000000000000000000 00"),
    Malformed(
      "MP_UNREACH_NLRI with /33", type: 2, "0000 0009 800f 06 000101 21 0000", 3, 10, "800f 06 000101 21 0000"),
    // RFC 7606 §5.2: nothing announced that could count as withdrawn.
    Malformed("a bad ORIGIN and no routes", type: 2, "0000 0004 4001 01 03", 3, 6, "4001 01 03"),
  ]

  @Test("header, RFC 4271 §6.1", arguments: headers) func header(_ row: Malformed) {
    expect(row, in: .openSent)
    expect(row, in: .openConfirm)
    expect(row, in: .established)
  }

  @Test("OPEN, RFC 4271 §6.2", arguments: opens) func open(_ row: Malformed) { expect(row, in: .openSent) }

  @Test("UPDATE, RFC 4271 §6.3", arguments: updates) func update(_ row: Malformed) {
    expect(row, in: .established)
  }

  private func expect(_ row: Malformed, in state: SessionState) {
    var session = Peer.session(in: state)
    let effects = session.handle(.received(row.octets))
    let wanted = NotificationMessage(code: row.code, subcode: row.subcode, data: row.data)
    #expect(Peer.sent(effects) == [.notification(wanted)])
    #expect(session.state == .idle)
    #expect(session.lastError?.isEmpty == false)
    #expect(effects.contains(.close))
  }

  @Test("an iBGP peer must not have our router id (RFC 6286 §2.2)")
  func sameIdentifier() {
    let configuration = SessionConfiguration(
      localAS: 65001, routerID: IPv4Address(10, 1, 1, 2), nextHop: IPv4Address(10, 1, 1, 2), remoteAS: 65001,
      holdTimeSeconds: 9, connectRetrySeconds: 5)
    var open = Peer.open
    open.autonomousSystem = 65001
    open.capabilities = [.fourOctetAS(65001)]
    open.identifier = IPv4Address(10, 1, 1, 2)
    var session = Peer.session(in: .openSent, configuration)
    let effects = session.handle(.received(Peer.octets(.open(open))))
    #expect(Peer.sent(effects) == [.notification(NotificationMessage(code: 2, subcode: 3, data: []))])
  }
}
