import Control
import Wire

extension ManagerState {
  /// What the log says to an operator of a refusal.
  func sentence(on refusal: PortRefusal, of machine: String, to node: String) -> String {
    if let host = host(of: refusal.locator), host != node {
      return "\(node) gets no ports for \(machine): that is on \(host)"
    }
    return "\(machine) gets no ports: \(reason(of: refusal, machine))"
  }

  private func reason(of refusal: PortRefusal, _ machine: String) -> String {
    let service = service(of: machine)
    switch refusal.reason {
    case .cap:
      guard let service else { return "it has as many as it may" }
      return "it has all \(service.snatPortsPerMachine) that \(service.name) allows"
    case .rate: return "it asks more than \(Limits.requestsPerSecond) times a second"
    case .exhausted:
      guard let service, ports.hasRoom else { return "MUXes hold no more than \(Limits.ranges) ranges" }
      return "all of \(service.sources.map(\.description).joined(separator: ", ")) are taken"
    case .noService: return "no service lets it out"
    case .overloaded: return "too many ask"
    case .noMux: return "no MUX runs, or none acknowledges"
    }
  }
}
