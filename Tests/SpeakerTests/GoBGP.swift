import Foundation

/// GoBGP.
final class GoBGP: Router {
  private let network: TestNetwork
  private var process: Process?

  init(in network: TestNetwork) { self.network = network }

  func start() throws {
    try network.write(
      "gobgpd.toml",
      """
      [global.config]
        as = 65000
        router-id = "10.77.0.1"
      [[neighbors]]
        [neighbors.config]
          neighbor-address = "10.77.0.2"
          peer-as = 65001
        [neighbors.transport.config]
          passive-mode = true
        [neighbors.timers.config]
          idle-hold-time-after-reset = 1
      """)
    process = try network.start(
      "gobgpd", ["-f", network.path("gobgpd.toml"), "--api-hosts", "127.0.0.1:50051", "--pprof-disable"])
    try eventually("gobgpd answers") { (try? ask("neighbor")) != nil }
  }

  func kill() { if let process { network.stop(process) } }

  private func ask(_ words: String...) throws -> String {
    let command = [try Command.path("gobgp"), "-j"] + words
    return try Command.run(
      "sh", "-c", "exec ip netns exec \(network.router) \(command.joined(separator: " "))")
  }

  private func state() throws -> [String: Any] {
    let neighbors = try json(try ask("neighbor")) as? [[String: Any]]
    return neighbors?.first ?? [:]
  }

  func isEstablished() throws -> Bool {
    let state = try state()["state"] as? [String: Any]
    return state?["session_state"] as? Int == 6
  }

  func routes() throws -> [String: String] {
    let text = try ask("global", "rib")
    guard let table = try json(text) as? [String: [[String: Any]]] else { return [:] }
    var found: [String: String] = [:]
    for (prefix, paths) in table {
      let attributes = paths.first?["attrs"] as? [[String: Any]] ?? []
      for attribute in attributes { if let hop = attribute["nexthop"] as? String { found[prefix] = hop } }
    }
    return found
  }

  func connection() throws -> String {
    let timers = try state()["timers"] as? [String: Any]
    let values = timers?["state"] as? [String: Any]
    return "\(values?["uptime"] ?? "?")"
  }

  func lastReset() throws -> String { network.output(of: "gobgpd") }
}
