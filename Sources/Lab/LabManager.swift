import Control
import Foundation

/// A row of `ananta-ctl get managers -o json`, as far as the lab needs it.
public struct LabManager: Decodable, Hashable, Sendable {
  /// The node; empty for one that was never heard of.
  public var node: String
  /// As the tool writes it: `leader`, `follower` and so on.
  public var role: String
  /// Whether its vote counts.
  public var voter: Bool
  /// How many entries it lacks.
  public var lag: UInt64
}

extension Lab {
  /// The managers as one of them knows them, or as the first that can be reached does.
  public func managers(askedAt machine: Topology.Machine? = nil) async throws(LabError) -> [LabManager] {
    struct List: Decodable { var items: [LabManager] }
    let whom = machine.map { ["--manager", "\($0.node.address):\(Topology.managerPort)"] } ?? []
    let text = try await control(["get", "managers", "-o", "json", "--timeout", "3s"] + whom).check()
    do {
      return try JSONDecoder().decode(List.self, from: Data(text.utf8)).items
    } catch {
      throw LabError(.command, "`ananta-ctl get managers -o json` answered what is no list: \(error).")
    }
  }

  /// The nodes that lead, each by its own word: what managers say of one another may be a second old.
  func leaders() async -> [String] {
    var found: [String] = []
    for machine in topology.machines(with: .manager) {
      let own = try? await managers(askedAt: machine).first { $0.node == machine.node.name }
      if own?.role == "leader" { found.append(machine.node.name) }
    }
    return found
  }

  /// The one node that leads; nil if there is none, or more than one, for long.
  public func leader() async -> String? {
    var found: [String] = []
    await Patience.wait(upTo: Limits.convergenceMilliseconds) {
      found = await leaders()
      return found.count == 1
    }
    return found.count == 1 ? found.first : nil
  }
}
