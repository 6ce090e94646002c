public import Control

/// What one node has to do to follow an entry.
public struct NodeCommands: Hashable, Sendable {
  /// The node's name.
  public let node: String
  /// In the order in which they are to be carried out; never empty.
  public let commands: [Command]

  /// Joins the two.
  public init(node: String, commands: [Command]) {
    self.node = node
    self.commands = commands
  }

  /// The same but for leases, which a host is told of when all MUXes know them.
  var withoutLeases: NodeCommands {
    NodeCommands(
      node: node, commands: commands.filter { if case .leasePortRange = $0 { false } else { true } })
  }
}
