import Foundation

/// A BGP implementation that is not ours, in the router's namespace, in AS 65000.
protocol Router: AnyObject {
  /// Starts, or starts again after `kill`.
  func start() throws
  /// Ends it as a crash would.
  func kill()
  /// Whether the session with the MUX stands.
  func isEstablished() throws -> Bool
  /// Prefix and next hop of every route in its table.
  func routes() throws -> [String: String]
  /// What tells this connection from the one before and after.
  func connection() throws -> String
  /// What the router says of the end of the session.
  func lastReset() throws -> String
}

/// JSON as nested values.
func json(_ text: String) throws -> Any { try JSONSerialization.jsonObject(with: Data(text.utf8)) }

/// FRR's zebra and bgpd, sessions by listen range, as a lab's router has them.
final class FRR: Router {
  private let network: TestNetwork
  private let password: String?
  private var bgpd: Process?

  init(in network: TestNetwork, password: String?) {
    self.network = network
    self.password = password
  }

  private var configuration: String {
    """
    router bgp 65000
     bgp router-id 10.77.0.1
     bgp log-neighbor-changes
     no bgp ebgp-requires-policy
     bgp graceful-restart-disable
     neighbor MUX peer-group
     neighbor MUX remote-as external
     neighbor MUX timers 3 9
     \(password.map { "neighbor MUX password \($0)" } ?? "!")
     bgp listen range 10.77.0.0/24 peer-group MUX
     address-family ipv4 unicast
      neighbor MUX route-map NONE out
     exit-address-family
    !
    route-map NONE deny 10
    """
  }

  private func options(_ daemon: String) -> [String] {
    let directory = network.directory.path
    return [
      "-f", network.path("\(daemon).conf"), "-i", network.path("\(daemon).pid"), "-z",
      network.path("zserv.api"), "--vty_socket", directory, "-P", "0", "--log", "file:\(directory)/\(daemon).log",
    ]
  }

  func start() throws {
    if bgpd == nil {
      try network.write("zebra.conf", "")
      try network.write("bgpd.conf", configuration)
      try Command.run("chown", "-R", "frr:frr", network.directory.path)
      _ = try network.start("zebra", options("zebra"))
      try eventually("zebra's socket") { FileManager.default.fileExists(atPath: network.path("zserv.api")) }
    }
    bgpd = try network.start("bgpd", options("bgpd"))
    try eventually("bgpd answers") { (try? vty("show bgp summary")) != nil }
  }

  func kill() { if let bgpd { network.stop(bgpd, signal: SIGKILL) } }

  private func vty(_ command: String) throws -> String {
    try Command.run("vtysh", "--vty_socket", network.directory.path, "-d", "bgpd", "-c", command)
  }

  private func neighbor() throws -> [String: Any] {
    let all = try json(try vty("show bgp neighbors json")) as? [String: Any]
    return all?["10.77.0.2"] as? [String: Any] ?? [:]
  }

  func isEstablished() throws -> Bool { try neighbor()["bgpState"] as? String == "Established" }

  func routes() throws -> [String: String] {
    let table = try json(try vty("show bgp ipv4 unicast json")) as? [String: Any]
    var found: [String: String] = [:]
    for (prefix, paths) in table?["routes"] as? [String: [[String: Any]]] ?? [:] {
      let hops = paths.first?["nexthops"] as? [[String: Any]]
      found[prefix] = hops?.first?["ip"] as? String ?? "none"
    }
    return found
  }

  // Our port of the connection: the time of day that FRR tells is off by one now and then.
  func connection() throws -> String { "\(try neighbor()["portForeign"] ?? "?")" }

  // A dynamic neighbour is forgotten with its session, so the log has to tell.
  func lastReset() throws -> String {
    try String(contentsOf: network.directory.appending(path: "bgpd.log"), encoding: .utf8)
  }
}

/// BIRD 2.
final class BIRD: Router {
  private let network: TestNetwork
  private var process: Process?

  init(in network: TestNetwork) { self.network = network }

  func start() throws {
    try network.write(
      "bird.conf",
      """
      router id 10.77.0.1;
      protocol device { }
      protocol bgp mux {
        local 10.77.0.1 as 65000;
        neighbor 10.77.0.2 as 65001;
        passive on;
        error wait time 1, 2;
        ipv4 { import all; export none; };
      }
      """)
    process = try network.start(
      "bird", ["-f", "-c", network.path("bird.conf"), "-s", network.path("bird.ctl"), "-P", network.path("bird.pid")])
    try eventually("bird answers") { (try? ask("show", "status")) != nil }
  }

  func kill() { if let process { network.stop(process, signal: SIGKILL) } }

  private func ask(_ words: String...) throws -> String {
    try Command.run("birdc", "-s", network.path("bird.ctl"), words.joined(separator: " "))
  }

  func isEstablished() throws -> Bool { try ask("show protocols mux").contains("Established") }

  func routes() throws -> [String: String] {
    var found: [String: String] = [:]
    var prefix = ""
    for line in try ask("show route").split(separator: "\n") {
      let words = line.split(whereSeparator: \.isWhitespace)
      if let first = words.first, first.contains("/") { prefix = String(first) }
      if words.first == "via", words.count > 1 { found[prefix] = String(words[1]) }
    }
    return found
  }

  func connection() throws -> String {
    // mux  BGP  ---  up  15:04:05.678  Established
    let line = try ask("show protocols mux").split(separator: "\n").first { $0.hasPrefix("mux") }
    return line?.split(separator: " ").dropFirst(4).first.map(String.init) ?? "?"
  }

  func lastReset() throws -> String { try ask("show protocols all mux") }
}

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

  func kill() { if let process { network.stop(process, signal: SIGKILL) } }

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
