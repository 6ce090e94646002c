import Wire

/// The packet that an ICMP error quotes: its IPv4 header and at least eight bytes more (RFC 792).
///
/// Its ports tell which flow the error is about, and whoever gets the error must find his own view of the flow in it.
struct Quotation: BitwiseCopyable {
  /// Where the ICMP header begins.
  let message: Int
  /// Where the packet ends.
  let end: Int

  @inline(always) init(message: Int, end: Int) {
    self.message = message
    self.end = end
  }

  @inline(always) var header: IPv4Header { IPv4Header(at: message &+ ICMPHeader.byteCount) }
  @inline(always) var transport: Int { message &+ ICMPHeader.byteCount &+ IPv4Header.byteCount }

  /// Whether it is a TCP segment or a datagram, quoted with its ports; its header checksum may have been spoilt
  /// on the way, as that of the field that routers change.
  @inline(always) func isUsable(_ frame: borrowing Frame) -> Bool {
    guard end &- transport >= 8, header.versionAndLength(frame) == 0x45 else { return false }
    guard header.fragmentWord(frame) & 0x1fff == 0 else { return false }
    let proto = header.proto(frame)
    return proto == .tcp || proto == .udp
  }

  /// Whether it is an echo request or its reply, quoted with its identifier.
  @inline(always) func isEcho(_ frame: borrowing Frame) -> Bool {
    guard end &- transport >= ICMPHeader.byteCount, header.versionAndLength(frame) == 0x45,
      header.fragmentWord(frame) & 0x1fff == 0, header.proto(frame) == .icmp
    else { return false }
    let type = ICMPHeader(at: transport).type(frame)
    return type == .echoRequest || type == .echoReply
  }

  @inline(always) func isUDP(_ frame: borrowing Frame) -> Bool { header.proto(frame) == .udp }
  @inline(always) func sourcePort(_ frame: borrowing Frame) -> UInt16 { frame.load16(transport) }
  @inline(always) func destinationPort(_ frame: borrowing Frame) -> UInt16 { frame.load16(transport &+ 2) }

  /// Replaces an address and the identifier of a quoted echo, and amends all checksums that cover them; that of the
  /// quoted message covers no address.
  @inline(always) func replaceEcho(
    _ side: End, of frame: inout Frame, by address: IPv4Address, _ identifier: UInt16
  ) {
    let addressAt = header.offset &+ side.addressOffset
    var change = InternetChecksum()
    change.add(~frame.load(addressAt, as: UInt32.self))
    change.add(address.raw)
    frame.store(address.raw, at: addressAt)
    var total = change
    amend(&frame, checksumAt: header.offset &+ 10, by: change, &total)
    let old = ~frame.load(transport &+ 4, as: UInt16.self)
    var other = InternetChecksum()
    other.add(old)
    other.add(identifier.bigEndian)
    total.add(old)
    total.add(identifier.bigEndian)
    frame.store(identifier.bigEndian, at: transport &+ 4)
    amend(&frame, checksumAt: transport &+ 2, by: other, &total)
    Translation.amend(&frame, checksumAt: message &+ 2, by: total)
  }

  /// Amends a checksum, and adds its own change to that of the message.
  @inline(always) private func amend(
    _ frame: inout Frame, checksumAt offset: Int, by change: InternetChecksum, _ total: inout InternetChecksum
  ) {
    total.add(~frame.load(offset, as: UInt16.self))
    Translation.amend(&frame, checksumAt: offset, by: change)
    total.add(frame.load(offset, as: UInt16.self))
  }

  /// Replaces address and port of one end of the quoted packet, and amends all checksums that cover them.
  ///
  /// The quoted header's checksum and its own change cancel out in the message's sum only if that checksum was
  /// right, so each word is amended by itself.
  @inline(always) func replace(
    _ side: End, of frame: inout Frame, by address: IPv4Address, _ port: UInt16
  ) {
    let isUDP = isUDP(frame)
    let addressAt = header.offset &+ side.addressOffset
    let portAt = transport &+ side.portOffset
    var change = InternetChecksum()
    change.add(~frame.load(addressAt, as: UInt32.self))
    change.add(address.raw)
    frame.store(address.raw, at: addressAt)
    var total = change
    let checksumAt = header.offset &+ 10
    total.add(~frame.load(checksumAt, as: UInt16.self))
    Translation.amend(&frame, checksumAt: checksumAt, by: change)
    total.add(frame.load(checksumAt, as: UInt16.self))

    let oldPort = ~frame.load(portAt, as: UInt16.self)
    change.add(oldPort)
    change.add(port.bigEndian)
    total.add(oldPort)
    total.add(port.bigEndian)
    frame.store(port.bigEndian, at: portAt)

    let field = transport &+ (isUDP ? UDPHeader.checksumOffset : TCPHeader.checksumOffset)
    if end >= field &+ 2 {
      total.add(~frame.load(field, as: UInt16.self))
      Translation.amendTransport(&frame, checksumAt: field, isUDP: isUDP, by: change)
      total.add(frame.load(field, as: UInt16.self))
    }
    Translation.amend(&frame, checksumAt: message &+ 2, by: total)
  }
}
