import Control

/// What an operation may change in the nodes' configuration, by name: more would be slow, less would be
/// wrong.
struct Touched {
  /// VMs that are new, changed or gone, or whose host has other locators than before.
  private(set) var machines: Set<String> = []
  /// Services that are new, changed or gone, or that name such a VM.
  private(set) var services: Set<String> = []

  /// Compares a state before an operation with the one after it.
  init(by operation: Operation, from old: DesiredState, to new: DesiredState) {
    let keys: [ResourceKey] =
      switch operation {
      case .apply(let resources): resources.map(\.key)
      case .delete(let keys): keys
      }
    var hosts: Set<String> = []
    for key in keys where old[key] != new[key] {
      switch key.kind {
      case .node: if old.nodes[key.name]?.locators != new.nodes[key.name]?.locators { hosts.insert(key.name) }
      case .virtualNetwork: break
      case .virtualMachine: machines.insert(key.name)
      case .service: services.insert(key.name)
      }
    }
    if !hosts.isEmpty {
      machines.formUnion(new.machines.values.filter { hosts.contains($0.host) }.map(\.name))
    }
    guard !machines.isEmpty else { return }
    for state in [old, new] {
      for service in state.services.values where isServed(service) { services.insert(service.name) }
    }
  }

  private func isServed(_ service: Service) -> Bool {
    service.endpoints.contains { $0.backends.contains { machines.contains($0.machine) } }
      || service.snat.contains { machines.contains($0) }
  }
}
