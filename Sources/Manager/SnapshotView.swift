import Control

/// What the snapshots of one revision have in common, made once for all nodes that need one.
struct SnapshotView {
  private var revision: Revision?
  private var whole = NodeView()
  /// What all MUXes are told; it goes through all leases, so that it is made only when a MUX comes.
  private var muxCommands: [Command]?

  /// What a node has to do to come from nothing to a state; empty when there is no such node.
  ///
  /// A host is told only of leases up to the revision `ripe`.
  mutating func snapshot(for name: String, of state: ManagerState, ripe: Revision) -> [Command] {
    guard let node = state.desired.nodes[name] else { return [] }
    follow(state)
    var commands = node.runsDataPath && !state.keys.keys.isEmpty ? [Command.setKeys(state.keys)] : []
    if node.roles.contains(.mux) { commands += muxCommands(of: state) }
    guard node.roles.contains(.host) else { return commands }
    return commands + NodeView().hostCommands(to: whole, for: node, was: nil)
      + state.hostPorts(of: whole.machineNames(on: name), upTo: ripe)
  }

  private mutating func follow(_ state: ManagerState) {
    guard revision != state.revision else { return }
    revision = state.revision
    whole = state.whole
    muxCommands = nil
  }

  private mutating func muxCommands(of state: ManagerState) -> [Command] {
    let commands = muxCommands ?? state.muxPorts + NodeView().muxCommands(to: whole)
    muxCommands = commands
    return commands
  }
}
