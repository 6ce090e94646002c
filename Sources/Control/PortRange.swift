public import Wire

/// Eight ports of a VIP, aligned to eight, that are leased to one VM as a whole (Ananta §3.5.1): TCP, UDP, and
/// identifiers of ICMP echo alike.
public struct PortRange: Codable, Hashable, Comparable, Sendable {
  /// How many ports a range has.
  public static let portCount = 8

  /// The service's virtual address.
  public let vip: IPv4Address
  /// A multiple of 8, and at least `Limits.firstLeasedPort`.
  public let firstPort: UInt16

  /// The range that begins with a port; nil when none does.
  public init?(vip: IPv4Address, firstPort: UInt16) {
    guard firstPort % UInt16(Self.portCount) == 0, firstPort >= Limits.firstLeasedPort else { return nil }
    self.vip = vip
    self.firstPort = firstPort
  }

  /// The range that has a port; nil when the port is never leased.
  public init?(vip: IPv4Address, holding port: UInt16) { self.init(vip: vip, firstPort: port & ~7) }

  /// The last of its ports.
  public var lastPort: UInt16 { firstPort + UInt16(Self.portCount - 1) }

  /// Orders by VIP, then by port.
  public static func < (a: Self, b: Self) -> Bool { (a.vip, a.firstPort) < (b.vip, b.firstPort) }

  /// Refuses ports that begin no range.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    vip = try values.decode(IPv4Address.self, forKey: .vip)
    firstPort = try values.decode(UInt16.self, forKey: .firstPort)
    guard Self(vip: vip, firstPort: firstPort) != nil else {
      throw DecodingError.dataCorruptedError(
        forKey: .firstPort, in: values, debugDescription: "no range of leased ports begins with \(firstPort)")
    }
  }
}

extension PortRange: CustomStringConvertible {
  /// `203.0.113.10:1024-1031`.
  public var description: String { "\(vip):\(firstPort)-\(lastPort)" }
}

/// A range, and the VM that has it.
public struct PortLease: Codable, Hashable, Comparable, Sendable {
  /// The ports.
  public var range: PortRange
  /// The VM's underlay address.
  public var locator: IPv4Address

  /// Joins the two.
  public init(_ range: PortRange, to locator: IPv4Address) {
    self.range = range
    self.locator = locator
  }

  /// Orders by range, then by locator.
  public static func < (a: Self, b: Self) -> Bool { (a.range, a.locator) < (b.range, b.locator) }
}
