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
      services: desired.services.values.sorted { $0.name < $1.name }.map(status), ports: poolStatuses)
  }

  private var poolStatuses: [PortPoolStatus] {
    ports.pools.sorted { $0.key < $1.key }.map { vip, pool in
      var ranges: [IPv4Address: (all: Int, recalled: Int)] = [:]
      for grant in pool.grants.values {
        ranges[grant.locator, default: (0, 0)].all += 1
        if grant.isRecalled { ranges[grant.locator, default: (0, 0)].recalled += 1 }
      }
      let holdings = ranges.sorted { $0.key < $1.key }.map { locator, count in
        PortPoolStatus.Holding(
          machine: machinesByLocator[locator] ?? "", locator: locator, ranges: count.all,
          recalled: count.recalled)
      }
      return PortPoolStatus(
        vip: vip, service: servicesByVIP[vip] ?? "", capacity: pool.capacity, free: pool.free,
        orphaned: pool.orphanCount, holdings: holdings)
    }
  }

  private func status(of service: Service) -> ServiceStatus {
    var isAnnounced = !service.snat.isEmpty || ports.hasGrants(of: service.vip)
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
