import Wire

/// Reads the path attributes of one UPDATE by RFC 4271 §6.3 as revised by RFC 7606 §3 to §7.
struct AttributeDecoder {
  private(set) var attributes: [PathAttribute] = []
  private(set) var faults: [UpdateFault] = []
  private var seen = Set<UInt8>()
  private let rules: UpdateRules

  init(rules: UpdateRules) { self.rules = rules }

  /// One attribute cut out of the message; `octets` is all of it, as a NOTIFICATION wants it.
  private struct Raw {
    var flags: UInt8
    var code: UInt8
    var value: [UInt8]
    var octets: [UInt8]
  }

  mutating func read(_ octets: [UInt8]) throws(MessageError) {
    var reader = ByteReader(octets)
    while reader.remaining > 0 {
      let start = reader.position
      guard let flags = reader.uint8(), let code = reader.uint8(),
        let length = flags & PathAttribute.extendedLength != 0
          ? reader.uint16() : reader.uint8().map(UInt16.init),
        let value = reader.take(Int(length))
      else {
        // RFC 7606 §4: the rest cannot be read, but the routes behind it can.
        faults.append(
          UpdateFault(
            .treatAsWithdraw, MessageError(.updateMessage, 1, reason: "a path attribute is cut off")))
        return
      }
      try read(Raw(flags: flags, code: code, value: value, octets: reader.octets(from: start)))
    }
  }

  private mutating func read(_ raw: Raw) throws(MessageError) {
    guard seen.insert(raw.code).inserted else {
      let error = MessageError(.updateMessage, 1, reason: "path attribute \(raw.code) appears twice")
      // RFC 7606 §3 g.
      if raw.code == 14 || raw.code == 15 { throw error }
      return faults.append(UpdateFault(.attributeDiscard, error))
    }
    guard let category = PathAttribute.category(of: raw.code) else { return try readUnknown(raw) }
    let mask = PathAttribute.optional | PathAttribute.transitive
    guard raw.flags & mask == category else {
      return fault(.treatAsWithdraw, 4, raw, "has flags \(String(raw.flags, radix: 16))")
    }
    switch raw.code {
    case 1: readOrigin(raw)
    case 2: readASPath(raw)
    case 3: readNextHop(raw)
    case 4: readNumber(raw) { .multiExitDiscriminator($0) }
    case 5: readLocalPreference(raw)
    case 6: readAtomicAggregate(raw)
    case 7: readAggregator(raw)
    case 8: readCommunities(raw)
    case 14: try readReach(raw)
    case 15: try readUnreach(raw)
    case 17: readAS4Path(raw)
    default: readAS4Aggregator(raw)
    }
  }

  /// RFC 4271 §6.3: all well-known attributes are known here, so one that claims to be well-known is an error.
  private mutating func readUnknown(_ raw: Raw) throws(MessageError) {
    guard raw.flags & PathAttribute.optional != 0 else {
      throw MessageError(.updateMessage, 2, raw.octets, reason: "well-known path attribute \(raw.code)")
    }
    // How long the length field was is no property of the attribute.
    let flags = raw.flags & ~PathAttribute.extendedLength
    attributes.append(.unknown(flags: flags, code: raw.code, value: raw.value))
  }

  /// RFC 7606 §3 d: a route without a mandatory attribute is as good as withdrawn.
  ///
  /// An attribute that came but was malformed has its own fault already. RFC 7606 §5.2: when nothing was
  /// announced, there is nothing to withdraw, and the routes may be lost in the fault: that resets the session.
  mutating func requireMandatory(announces: Bool) throws(MessageError) {
    let isMultiprotocol = seen.contains(14)
    var mandatory: [UInt8] = []
    if announces || isMultiprotocol { mandatory = rules.isInternal ? [1, 2, 5] : [1, 2] }
    if announces { mandatory.append(3) }
    for code in mandatory.sorted() where !seen.contains(code) {
      faults.append(
        UpdateFault(
          .treatAsWithdraw,
          MessageError(.updateMessage, 3, [code], reason: "the UPDATE lacks path attribute \(code)")))
    }
    guard !announces, !isMultiprotocol,
      let fault = faults.first(where: { $0.severity == .treatAsWithdraw })
    else { return }
    throw fault.error
  }

  private mutating func fault(_ severity: UpdateSeverity, _ subcode: UInt8, _ raw: Raw, _ what: String) {
    faults.append(UpdateFault(severity, error(subcode, raw, what)))
  }

  private func error(_ subcode: UInt8, _ raw: Raw, _ what: String) -> MessageError {
    MessageError(.updateMessage, subcode, raw.octets, reason: "path attribute \(raw.code) \(what)")
  }

  // MARK: One attribute each, RFC 7606 §7

  private mutating func readOrigin(_ raw: Raw) {
    guard raw.value.count == 1 else { return badLength(raw) }
    guard let origin = Origin(rawValue: raw.value[0]) else {
      return fault(.treatAsWithdraw, 6, raw, "has the value \(raw.value[0])")
    }
    attributes.append(.origin(origin))
  }

  private mutating func readASPath(_ raw: Raw) {
    guard let path = ASPath(raw.value, fourOctetAS: rules.fourOctetAS) else {
      // RFC 4271 §6.3 gives the data of Malformed AS_PATH no content.
      let error = MessageError(.updateMessage, 11, reason: "the AS_PATH is malformed")
      return faults.append(UpdateFault(.treatAsWithdraw, error))
    }
    attributes.append(.asPath(path))
  }

  private mutating func readNextHop(_ raw: Raw) {
    var reader = ByteReader(raw.value)
    guard raw.value.count == 4, let address = reader.address() else { return badLength(raw) }
    // Syntactically correct is a valid host address: not 0.0.0.0, multicast, class E or broadcast.
    guard address != .any, address.number < 0xe000_0000 else {
      return fault(.treatAsWithdraw, 8, raw, "is \(address)")
    }
    attributes.append(.nextHop(address))
  }

  private mutating func readNumber(_ raw: Raw, _ attribute: (UInt32) -> PathAttribute) {
    var reader = ByteReader(raw.value)
    guard raw.value.count == 4, let number = reader.uint32() else { return badLength(raw) }
    attributes.append(attribute(number))
  }

  private mutating func readLocalPreference(_ raw: Raw) {
    guard rules.isInternal else {
      return fault(.attributeDiscard, 5, raw, "is not for external peers")
    }
    readNumber(raw) { .localPreference($0) }
  }

  private mutating func readAtomicAggregate(_ raw: Raw) {
    guard raw.value.isEmpty else { return badLength(raw, .attributeDiscard) }
    attributes.append(.atomicAggregate)
  }

  private mutating func readAggregator(_ raw: Raw) {
    var reader = ByteReader(raw.value)
    guard raw.value.count == (rules.fourOctetAS ? 8 : 6),
      let number = rules.fourOctetAS ? reader.uint32() : reader.uint16().map(UInt32.init),
      let address = reader.address()
    else { return badLength(raw, .attributeDiscard) }
    attributes.append(.aggregator(autonomousSystem: number, address))
  }

  private mutating func readCommunities(_ raw: Raw) {
    guard !raw.value.isEmpty, raw.value.count % 4 == 0 else {
      return badLength(raw, subcode: 9)
    }
    var reader = ByteReader(raw.value)
    var values: [UInt32] = []
    while let value = reader.uint32() { values.append(value) }
    attributes.append(.communities(values))
  }

  /// RFC 6793 §4.1 and §6: not for four-octet peers, and never worth more than itself.
  private mutating func readAS4Path(_ raw: Raw) {
    guard !rules.fourOctetAS, let path = ASPath(raw.value, fourOctetAS: true), !path.segments.isEmpty else {
      return fault(.attributeDiscard, 9, raw, "(AS4_PATH) is malformed or from a four-octet peer")
    }
    attributes.append(.as4Path(path))
  }

  private mutating func readAS4Aggregator(_ raw: Raw) {
    var reader = ByteReader(raw.value)
    guard !rules.fourOctetAS, raw.value.count == 8, let number = reader.uint32(), let address = reader.address()
    else {
      return fault(.attributeDiscard, 9, raw, "(AS4_AGGREGATOR) is malformed or from a four-octet peer")
    }
    attributes.append(.as4Aggregator(autonomousSystem: number, address))
  }

  // MARK: Multiprotocol attributes, RFC 4760 §3, §4, §7; RFC 7606 §5.3, §7.11

  private mutating func readReach(_ raw: Raw) throws(MessageError) {
    var reader = ByteReader(raw.value)
    guard let afi = reader.uint16(), let safi = reader.uint8(), let nextHopLength = reader.uint8(),
      let nextHop = reader.take(Int(nextHopLength)), reader.uint8() != nil
    else { throw error(9, raw, "(MP_REACH_NLRI) is cut off") }
    let family = AddressFamily(afi: afi, safi: safi)
    guard family != .ipv4Unicast || nextHopLength == 4 else {
      throw error(9, raw, "(MP_REACH_NLRI) has a next hop of \(nextHopLength) octets")
    }
    let routes = try routes(of: family, reader.rest(), in: raw)
    attributes.append(.multiprotocolReach(family, nextHop: nextHop, routes))
  }

  private mutating func readUnreach(_ raw: Raw) throws(MessageError) {
    var reader = ByteReader(raw.value)
    guard let afi = reader.uint16(), let safi = reader.uint8() else {
      throw error(9, raw, "(MP_UNREACH_NLRI) is cut off")
    }
    let family = AddressFamily(afi: afi, safi: safi)
    attributes.append(.multiprotocolUnreach(family, try routes(of: family, reader.rest(), in: raw)))
  }

  /// A family that was never negotiated is disabled rather than a reason to end the session (RFC 7606 §7.11).
  private mutating func routes(
    of family: AddressFamily, _ octets: [UInt8], in raw: Raw
  ) throws(MessageError) -> PathAttribute.MultiprotocolRoutes {
    guard family == .ipv4Unicast else {
      fault(.disableAddressFamily, 9, raw, "is of family \(family.afi)/\(family.safi), not negotiated")
      return .opaque(octets)
    }
    guard let prefixes = NLRI.read(octets) else { throw error(10, raw, "has malformed routes") }
    return .ipv4(prefixes)
  }

  private mutating func badLength(
    _ raw: Raw, _ severity: UpdateSeverity = .treatAsWithdraw, subcode: UInt8 = 5
  ) {
    fault(severity, subcode, raw, "has \(raw.value.count) octets")
  }
}
