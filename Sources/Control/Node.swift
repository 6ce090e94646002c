public import Wire

/// What an agent does on its node; one node may hold several roles.
public enum Role: String, CaseIterable, Codable, Hashable, Sendable {
  case host, mux, manager
}

/// A machine of the underlay that runs `ananta-agent`.
public struct Node: Codable, Hashable, Sendable {
  /// `metadata.name`, by which the agent introduces itself.
  public var name: String
  /// The underlay address: outer source of a MUX's packets, where its manager and BGP session live.
  public var address: IPv4Address
  /// Sorted, without repetition, never empty.
  public var roles: [Role]
  /// The prefix out of which VMs of this host get their locators; the router sends it to the host.
  ///
  /// Present exactly when the node is a host.
  public var locators: IPv4Prefix?

  /// Describes a node.
  public init(name: String, address: IPv4Address, roles: [Role], locators: IPv4Prefix? = nil) {
    self.name = name
    self.address = address
    self.roles = roles
    self.locators = locators
  }
}
