public import Wire

/// A tenant's private network; two tenants may use the same prefixes.
public struct VirtualNetwork: Codable, Hashable, Sendable {
  /// `metadata.name`.
  public var name: String
  /// Where the tenant's DIPs lie; they do not overlap one another.
  public var prefixes: [IPv4Prefix]

  /// Describes a virtual network.
  public init(name: String, prefixes: [IPv4Prefix]) {
    self.name = name
    self.prefixes = prefixes
  }
}
