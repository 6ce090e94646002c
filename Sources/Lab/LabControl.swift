import Control
import Foundation
import Wire

extension Lab {
  /// The command that runs `ananta-ctl` against this lab, inside the namespace of the first manager.
  public func control(_ arguments: [String]) throws(LabError) -> ExternalCommand {
    let managers = topology.machines(with: .manager).map(\.node)
    guard let first = managers.first else {
      throw LabError(.unknown, "Lab \(name) has no node with the role manager.")
    }
    let addresses = managers.map { "\($0.address):\(Topology.managerPort)" }.joined(separator: ",")
    return ExternalCommand(["env", "ANANTA_MANAGERS=\(addresses)", record.programs.control] + arguments)
      .inside(try namespace(of: first.name))
  }

  /// Waits until a manager answers.
  func awaitManager() async throws(LabError) {
    let question = try control(["get", "nodes"])
    var last = ""
    let answered = try await Patience.wait(upTo: Limits.managerStartMilliseconds) {
      () async throws(LabError) in
      try requireAgents()
      let result = try await question.run()
      last = result.errors.split(separator: "\n").last.map(String.init) ?? ""
      return result.succeeded
    }
    guard answered else {
      throw LabError(
        .timeout, "No manager has answered within \(Limits.managerStartMilliseconds) ms: \(last)")
    }
  }

  /// Refuses if an agent has ended.
  private func requireAgents() throws(LabError) {
    for machine in topology.machines {
      guard let agent = agent(of: machine.node.name), !agent.isRunning else { continue }
      let log = "\(directory(of: machine.node.name))/log"
      let text = FileManager.default.contents(atPath: log).map { String(decoding: $0, as: UTF8.self) } ?? ""
      let tail = text.split(separator: "\n").suffix(3).joined(separator: "; ")
      throw LabError(.command, "The agent of \(machine.node.name) has ended; its log says: \(tail)")
    }
  }

  /// Applies one of the lab's manifests and waits until every node runs it.
  func apply(_ manifest: String) async throws(LabError) {
    try await control(["apply", "-f", "\(directory)/manifests/\(manifest)", "--wait"]).check()
  }

  /// Waits until the router's kernel sends each VIP to every MUX.
  public func awaitRoutes() async throws(LabError) {
    let muxes = topology.machines(with: .mux).map(\.node.name)
    for offer in topology.offers {
      let vip = offer.service.vip.description
      let isThere = try await Patience.wait(upTo: Limits.convergenceMilliseconds) {
        () async throws(LabError) in
        try await self.muxes(carrying: vip) == muxes
      }
      guard isThere else {
        let seen = try await self.muxes(carrying: vip).joined(separator: ", ")
        let problem = "The router should send \(vip) to \(muxes.joined(separator: ", ")) and sends it to"
        throw LabError(
          .timeout, "\(problem) \(seen.isEmpty ? "nobody" : seen); `ananta-lab logs` of a MUX says more.")
      }
    }
  }

  /// The MUXes to which the router's kernel sends a VIP, in the order of the topology.
  public func muxes(carrying vip: String) async throws(LabError) -> [String] {
    let router = try namespace(of: topology.router.name)
    let text = try await ExternalCommand(["ip", "-n", router, "-json", "route", "show", "exact", "\(vip)/32"])
      .check()
    struct Route: Decodable {
      struct Hop: Decodable { var gateway: String? }
      var gateway: String?
      var nexthops: [Hop]?
    }
    let routes = (try? JSONDecoder().decode([Route].self, from: Data(text.utf8))) ?? []
    let gateways = routes.flatMap { [$0.gateway] + ($0.nexthops ?? []).map(\.gateway) }.compactMap { $0 }
    return topology.machines(with: .mux).filter { gateways.contains($0.node.address.description) }
      .map(\.node.name)
  }
}
