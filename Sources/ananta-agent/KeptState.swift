internal import Control
internal import Transport
internal import Wire

/// What a node has been told, and what its host has given back since: all that it goes on with after a restart.
struct KeptState: Equatable {
  /// The sum of the manager's commands.
  private(set) var state = NodeState()
  /// Ranges that the host uses no more and that the manager has not ended yet.
  ///
  /// Nothing but their end lets the host have them again: the manager may have given them to somebody else.
  private(set) var returned: Set<PortLease> = []

  /// Carries an update out, whole or not at all.
  mutating func apply(_ update: Update) -> NodeState.Result {
    let result = state.apply(update)
    guard case .applied = result, !returned.isEmpty else { return result }
    if update.isSnapshot {
      returned = returned.filter { state.leases[$0.locator]?[$0.range] != nil }
      return result
    }
    for command in update.commands {
      switch command {
      case .endPortRange(let lease): returned.remove(lease)
      case .removeMachine(let locator): returned = returned.filter { $0.locator != locator }
      default: break
      }
    }
    return result
  }

  /// Notes ranges that are used no more; those of them that are news.
  mutating func giveBack(_ leases: [PortLease]) -> [PortLease] {
    leases.filter { lease in
      state.leases[lease.locator]?[lease.range] != nil && returned.insert(lease).inserted
    }
  }

  /// Takes up what was kept earlier.
  mutating func take(_ record: NodeRecord) {
    switch record {
    case .update(let update): _ = apply(update)
    case .portsReturned(let leases): _ = giveBack(leases)
    }
  }

  /// Records that give the same again.
  var records: [NodeRecord] {
    let snapshot = NodeRecord.update(
      Update(epoch: state.epoch, revision: state.revision, isSnapshot: true, commands: state.commands))
    return returned.isEmpty ? [snapshot] : [snapshot, .portsReturned(returned.sorted())]
  }
}

extension NodeState {
  /// Commands that make this state out of none, in an order in which they can be carried out.
  var commands: [Command] {
    var commands: [Command] = [.setMuxes(muxes), .setKeys(keys)]
    if let locators { commands.append(.setLocators(locators)) }
    commands += muxEndpoints.values.sorted { $0.key < $1.key }.map(Command.setMuxEndpoint)
    commands += announced.sorted().map(Command.announce)
    commands += machines.values.sorted { $0.locator < $1.locator }.map(Command.setMachine)
    for (_, endpoints) in hostEndpoints.sorted(by: { $0.key < $1.key }) {
      commands += endpoints.values.sorted { $0.key < $1.key }.map(Command.setHostEndpoint)
    }
    commands += portRanges.map { .setPortRange(PortLease($0.key, to: $0.value)) }
    for (locator, ranges) in leases.sorted(by: { $0.key < $1.key }) {
      for (range, isRecalled) in ranges.sorted(by: { $0.key < $1.key }) {
        let lease = PortLease(range, to: locator)
        commands.append(.leasePortRange(lease))
        if isRecalled { commands.append(.recallPortRange(lease)) }
      }
    }
    return commands
  }
}

extension Update {
  /// Whether it is about nothing but leased ports, so that they can be changed in place.
  var isOfPorts: Bool { !isSnapshot && commands.allSatisfy(\.isOfPorts) }

  /// Whether a node that forgets it in a power failure harms nobody, so that it costs no sync on the way to a port.
  ///
  /// A host has less than it may have then; a MUX sends answers to where they were sent before, whose host drops them,
  /// and has its managers' snapshot before it is counted on again.
  var mayBeForgotten: Bool {
    isOfPorts
      && commands.allSatisfy { command in
        if case .endPortRange = command { false } else { true }
      }
  }
}

extension Command {
  /// The VM whose lease it is about; nil for all others.
  var leaseHolder: IPv4Address? {
    switch self {
    case .leasePortRange(let lease), .recallPortRange(let lease), .endPortRange(let lease): lease.locator
    default: nil
    }
  }

  /// Whether it is about leased ports.
  var isOfPorts: Bool {
    switch self {
    case .setPortRange, .removePortRange, .leasePortRange, .recallPortRange, .endPortRange: true
    default: false
    }
  }
}
