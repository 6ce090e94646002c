import Control
import Wire

extension ManagerState {
  /// The state as operators see it, with what is known of the nodes.
  func clusterState(nodes: [NodeStatus]) -> ClusterState {
    let desired = desired
    let machines = desired.machines.values.sorted { $0.name < $1.name }.map { machine in
      MachineStatus(machine: machine, locator: locators[machine.name] ?? .any)
    }
    return ClusterState(
      revision: revision, epoch: epoch, nodes: nodes,
      networks: desired.networks.values.sorted { $0.name < $1.name }, machines: machines,
      services: desired.services.values.sorted { $0.name < $1.name }.map(status))
  }

  private func status(of service: Service) -> ServiceStatus {
    var isAnnounced = false
    let backends = service.endpoints.map { endpoint in
      let key = EndpointKey(vip: service.vip, transport: endpoint.transport, port: endpoint.port)
      return endpoint.backends.map { backend in
        let health = health(of: backend, in: endpoint, key: key)
        if backend.weight > 0, health == .healthy || health == .unprobed { isAnnounced = true }
        return BackendStatus(
          backend: backend, locator: locators[backend.machine] ?? .any, health: health,
          reason: reason(for: health, of: backend, key))
      }
    }
    return ServiceStatus(service: service, backends: backends, isAnnounced: isAnnounced)
  }

  private func reason(for health: Health, of backend: Backend, _ key: EndpointKey) -> String {
    switch health {
    case .unprobed: "has no probe"
    case .unknown: "not reported yet by \(desired.machines[backend.machine]?.host ?? "its host")"
    case .healthy, .unhealthy: self.health[BackendKey(machine: backend.machine, endpoint: key)]?.reason ?? ""
    }
  }
}
