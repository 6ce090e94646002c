public import Wire

/// The addresses of a host's locator prefix that VMs can get.
///
/// The first and the last are left out, since routers and people take them for the network's and the
/// broadcast address.
public struct LocatorRange: Hashable, Sendable {
  /// The lowest as a number.
  private let first: UInt32
  /// How many there are.
  public let capacity: Int

  /// The addresses within a prefix.
  public init(_ prefix: IPv4Prefix) {
    first = prefix.address.number &+ 1
    capacity = prefix.length > 30 ? 0 : 1 << (32 - Int(prefix.length)) - 2
  }

  /// Whether a VM of this host can have the address.
  public func contains(_ address: IPv4Address) -> Bool {
    address.number >= first && Int(address.number - first) < capacity
  }

  /// The lowest address that nobody has; nil when all are taken.
  public func lowest(notIn taken: Set<IPv4Address>) -> IPv4Address? {
    for offset in 0..<capacity {
      let address = IPv4Address(number: first + UInt32(offset))
      if !taken.contains(address) { return address }
    }
    return nil
  }
}
