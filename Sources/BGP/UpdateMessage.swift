public import Wire

/// An UPDATE: routes that go and routes that come (RFC 4271 §4.3).
///
///     +-----------------------------------------------+
///     |  Withdrawn routes length (2)                  |
///     |  Withdrawn routes (variable)                  |
///     |  Total path attribute length (2)              |
///     |  Path attributes (variable)                   |
///     |  Network layer reachability information       |
///     +-----------------------------------------------+
public struct UpdateMessage: Hashable, Sendable {
  /// Prefixes that are no longer reachable this way.
  public var withdrawn: [IPv4Prefix]
  /// What holds for all of `announced`.
  public var attributes: [PathAttribute]
  /// Prefixes that are.
  public var announced: [IPv4Prefix]

  /// Joins the three fields.
  public init(
    withdrawn: [IPv4Prefix] = [], attributes: [PathAttribute] = [], announced: [IPv4Prefix] = []
  ) {
    self.withdrawn = withdrawn
    self.attributes = attributes
    self.announced = announced
  }

  /// All routes of IPv4 unicast have been sent (RFC 4724 §2).
  public static let endOfRIB = UpdateMessage()

  /// Octets of an UPDATE without prefixes and attributes.
  static let emptyLength = Limits.headerLength + 4

  func body(fourOctetAS: Bool) -> [UInt8] {
    var writer = ByteWriter()
    writer.uint16(UInt16(withdrawn.reduce(0) { $0 + NLRI.size(of: $1) }))
    NLRI.write(withdrawn, to: &writer)
    let attributes = self.attributes.flatMap { $0.octets(fourOctetAS: fourOctetAS) }
    writer.uint16(UInt16(attributes.count))
    writer.octets(attributes)
    NLRI.write(announced, to: &writer)
    return writer.bytes
  }

  /// Reads an UPDATE; throws what resets the session, returns the milder faults.
  ///
  /// Routes under a fault of `treatAsWithdraw` have been moved from `announced` to `withdrawn`, and attributes
  /// under `attributeDiscard` are gone: what is returned can be used as it is.
  static func decode(
    _ body: [UInt8], rules: UpdateRules
  ) throws(MessageError) -> (update: UpdateMessage, faults: [UpdateFault]) {
    var reader = ByteReader(body)
    guard let withdrawnLength = reader.uint16(), let withdrawnOctets = reader.take(Int(withdrawnLength)),
      let attributesLength = reader.uint16(), let attributeOctets = reader.take(Int(attributesLength))
    else { throw MessageError(.updateMessage, 1, reason: "lengths exceed the UPDATE") }
    // RFC 7606 §3 j and §5.3: without the prefixes there is nothing to withdraw, so these reset the session.
    guard let withdrawn = NLRI.read(withdrawnOctets) else {
      throw MessageError(.updateMessage, 10, reason: "the withdrawn routes are malformed")
    }
    guard let announced = NLRI.read(reader.rest()) else {
      throw MessageError(.updateMessage, 10, reason: "the announced routes are malformed")
    }
    var decoder = AttributeDecoder(rules: rules)
    try decoder.read(attributeOctets)
    try decoder.requireMandatory(announces: !announced.isEmpty)
    var update = UpdateMessage(withdrawn: withdrawn, attributes: decoder.attributes, announced: announced)
    update.mergeFourOctetAttributes()
    if decoder.faults.contains(where: { $0.severity == .treatAsWithdraw }) { update.withdrawAll() }
    return (update, decoder.faults)
  }

  private mutating func withdrawAll() {
    withdrawn += announced
    announced = []
    attributes = attributes.map { attribute in
      guard case .multiprotocolReach(let family, _, let routes) = attribute else { return attribute }
      return .multiprotocolUnreach(family, routes)
    }
  }

  /// RFC 6793 §4.2.3: an AGGREGATOR with a real AS says that a two-octet speaker aggregated after the tail was
  /// written, so that the tail is out of date.
  private mutating func mergeFourOctetAttributes() {
    var tail: ASPath?
    var aggregator: PathAttribute?
    for attribute in attributes {
      if case .as4Path(let path) = attribute { tail = path }
      if case .as4Aggregator(let number, let address) = attribute {
        aggregator = .aggregator(autonomousSystem: number, address)
      }
    }
    attributes.removeAll { $0.code == 17 || $0.code == 18 }
    guard tail != nil || aggregator != nil else { return }
    for case .aggregator(let number, _) in attributes where number != UInt32(OpenMessage.asTrans) { return }
    attributes = attributes.map { attribute in
      switch attribute {
      case .asPath(let path): tail.map { .asPath(path.merged(with: $0)) } ?? attribute
      case .aggregator: aggregator ?? attribute
      default: attribute
      }
    }
  }
}
