package import Wire

/// Which end of a packet is replaced.
package enum End: BitwiseCopyable {
  case source, destination
  /// Where in an IPv4 header the address lies.
  @inline(always) package var addressOffset: Int { self == .source ? 12 : 16 }
  /// Where in a TCP or UDP header the port lies.
  @inline(always) package var portOffset: Int { self == .source ? 0 : 2 }
  @inline(always) package static func == (a: Self, b: Self) -> Bool {
    switch (a, b) {
    case (.source, .source), (.destination, .destination): true
    default: false
    }
  }
}

/// Network address and port translation in place, with all checksums kept as right or wrong as they were
/// (RFC 1624, equation 3).
package enum Translation {
  /// Replaces address and port of one end of a TCP or UDP packet.
  ///
  /// A partial checksum is the sum of the pseudo header, not complemented, in which ports do not occur.
  /// A UDP checksum of 0 means none (RFC 768) and stays so.
  @inline(always) static func replace(
    _ end: End, of frame: inout Frame, header: Int, transport: Int, isUDP: Bool, isPartial: Bool,
    by address: IPv4Address, _ port: UInt16
  ) {
    let addressAt = header &+ end.addressOffset
    let portAt = transport &+ end.portOffset
    let newPort = port.bigEndian
    var change = InternetChecksum()
    change.add(~frame.load(addressAt, as: UInt32.self))
    change.add(address.raw)
    frame.store(address.raw, at: addressAt)
    amend(&frame, checksumAt: header &+ 10, by: change)
    let field = transport &+ (isUDP ? UDPHeader.checksumOffset : TCPHeader.checksumOffset)
    if isPartial {
      change.add(frame.load(field, as: UInt16.self))
      frame.store(change.folded, at: field)
    } else {
      change.add(~frame.load(portAt, as: UInt16.self))
      change.add(newPort)
      amendTransport(&frame, checksumAt: field, isUDP: isUDP, by: change)
    }
    frame.store(newPort, at: portAt)
  }

  /// Replaces an address of an IPv4 header.
  @inline(always) package static func replace(
    _ end: End, of frame: inout Frame, header: Int, by address: IPv4Address
  ) {
    let addressAt = header &+ end.addressOffset
    var change = InternetChecksum()
    change.add(~frame.load(addressAt, as: UInt32.self))
    change.add(address.raw)
    frame.store(address.raw, at: addressAt)
    amend(&frame, checksumAt: header &+ 10, by: change)
  }

  /// Replaces the identifier of an ICMP echo that begins at `message`, whose checksum covers no address.
  @inline(always) static func replaceIdentifier(
    of frame: inout Frame, message: Int, by identifier: UInt16
  ) {
    var change = InternetChecksum()
    change.add(~frame.load(message &+ 4, as: UInt16.self))
    change.add(identifier.bigEndian)
    frame.store(identifier.bigEndian, at: message &+ 4)
    amend(&frame, checksumAt: message &+ 2, by: change)
  }

  /// HC' = ~(~HC + ~m + m'), RFC 1624, equation 3.
  @inline(always) static func amend(
    _ frame: inout Frame, checksumAt offset: Int, by change: InternetChecksum
  ) {
    var sum = change
    sum.add(~frame.load(offset, as: UInt16.self))
    frame.store(sum.value, at: offset)
  }

  /// The same where 0 means that there is none: then it stays, and no other becomes 0.
  @inline(always) static func amendTransport(
    _ frame: inout Frame, checksumAt offset: Int, isUDP: Bool, by change: InternetChecksum
  ) {
    let before = frame.load(offset, as: UInt16.self)
    if isUDP && before == 0 { return }
    var sum = change
    sum.add(~before)
    let after = sum.value
    frame.store(isUDP && after == 0 ? 0xffff : after, at: offset)
  }
}
