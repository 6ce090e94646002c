/// Who names whom in a state.
struct References {
  /// A place within a resource that names another one.
  struct Place {
    var key: ResourceKey
    var path: String
  }

  private var places: [ResourceKey: [Place]] = [:]

  /// Collects every reference of a state.
  init(in state: DesiredState) {
    for machine in state.machines.values.sorted(by: { $0.name < $1.name }) {
      let key = ResourceKey(.virtualMachine, machine.name)
      note(ResourceKey(.virtualNetwork, machine.network), key, "spec.network")
      note(ResourceKey(.node, machine.host), key, "spec.host")
    }
    for service in state.services.values.sorted(by: { $0.name < $1.name }) {
      let key = ResourceKey(.service, service.name)
      for (index, endpoint) in service.endpoints.enumerated() {
        for (position, backend) in endpoint.backends.enumerated() {
          let path = "spec.endpoints[\(index)].backends[\(position)].vm"
          note(ResourceKey(.virtualMachine, backend.machine), key, path)
        }
      }
      for (index, machine) in service.snat.enumerated() {
        note(ResourceKey(.virtualMachine, machine), key, "spec.snat[\(index)]")
      }
    }
  }

  /// The places that name a resource, sorted by the resource they are in.
  func places(naming key: ResourceKey) -> [Place] { places[key] ?? [] }

  private mutating func note(_ target: ResourceKey, _ key: ResourceKey, _ path: String) {
    places[target, default: []].append(Place(key: key, path: path))
  }
}
