import Control
import Foundation

/// Whether all managers know the same, and every node runs the newest revision.
struct Convergence {
  let lab: Lab

  /// Waits for it; what is missing after the time that it may take, nil: nothing.
  func complaint() async throws(LabError) -> String? {
    if let complaint = try await nodes() { return complaint }
    var last: String?
    _ = try await Patience.wait(upTo: Limits.convergenceMilliseconds) { () async throws(LabError) in
      last = try await managers()
      return last == nil
    }
    return last
  }

  /// A change that is acknowledged by every node needs all of them.
  private func nodes() async throws(LabError) -> String? {
    let seconds = Limits.convergenceMilliseconds / 1000
    var apply = try lab.control(["apply", "-f", "-", "--wait", "--timeout", "\(seconds)s"])
    apply.input = "kind: VirtualNetwork\nmetadata: {name: converged}\nspec: {prefixes: [10.0.0.0/24]}\n"
    let result = try await apply.run()
    return result.succeeded ? nil : "apply --wait: \(result.errors)"
  }

  /// Asks each manager for itself what it knows of all.
  private func managers() async throws(LabError) -> String? {
    var leaders: Set<String> = []
    for machine in lab.topology.machines(with: .manager) {
      let name = machine.node.name
      let statuses: [LabManager]
      do {
        statuses = try await lab.managers(askedAt: machine)
      } catch {
        return "\(name) does not say who the managers are: \(error)"
      }
      let own = statuses.first { $0.node == name }
      guard own?.voter == true else { return "\(name) says that it has no vote" }
      if let late = statuses.first(where: { $0.lag > 0 || !["leader", "follower"].contains($0.role) }) {
        return "\(name) says of \(late.node): \(late.role), \(late.lag) entries behind"
      }
      leaders.formUnion(statuses.filter { $0.role == "leader" }.map(\.node))
    }
    return leaders.count == 1 ? nil : "leaders are \(leaders.sorted())"
  }
}
