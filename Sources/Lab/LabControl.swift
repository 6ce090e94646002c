import Control
import Foundation
import Wire

extension Lab {
  /// The command that runs `ananta-ctl` against this lab as its administrator, from the first client's namespace.
  public func control(_ arguments: [String]) throws(LabError) -> ExternalCommand {
    let managers = topology.machines(with: .manager).map(\.node)
    guard let place = topology.clients.first?.name ?? managers.first?.name else {
      throw LabError(.unknown, "Lab \(name) has no node with the role manager.")
    }
    return ExternalCommand(["env"] + operatorEnvironment + [record.programs.control] + arguments)
      .inside(try namespace(of: place))
  }

  /// This program's own work for operators, as a command with the same environment.
  func operateWords(_ arguments: [String]) -> [String] {
    ["env"] + operatorEnvironment + [record.programs.lab, "operate"] + arguments
  }

  /// Where the managers are and who asks, as `ananta-ctl` takes it from its environment.
  private var operatorEnvironment: [String] {
    let addresses = topology.machines(with: .manager).map { "\($0.node.address):\(Topology.managerPort)" }
    let managers = "ANANTA_MANAGERS=\(addresses.joined(separator: ","))"
    return switch topology.security {
    case .plaintext: [managers, "ANANTA_SECURITY=plaintext"]
    case .tls: [managers] + certificates.environment(of: LabCertificates.administrator)
    }
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

  /// Waits until every backend is healthy or has no probe.
  public func awaitHealth() async throws(LabError) {
    struct List: Decodable {
      struct Item: Decodable {
        var vm: String
        var endpoint: String
        var health: String
        var reason: String
      }
      var items: [Item]
    }
    let question = try control(["get", "backends", "-o", "json"])
    var waitsFor = ""
    let isThere = try await Patience.wait(upTo: Limits.convergenceMilliseconds) { () async throws(LabError) in
      let text = try await question.check()
      guard let list = try? JSONDecoder().decode(List.self, from: Data(text.utf8)) else {
        throw LabError(
          .command, "`ananta-ctl get backends -o json` answered what is no list: \(text.prefix(200))")
      }
      let sick = list.items.first { $0.health != "healthy" && $0.health != "unprobed" }
      waitsFor = sick.map { "\($0.vm) for \($0.endpoint) is \($0.health): \($0.reason)" } ?? ""
      return sick == nil
    }
    guard isThere else { throw LabError(.timeout, "Not every backend has become healthy; \(waitsFor).") }
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
