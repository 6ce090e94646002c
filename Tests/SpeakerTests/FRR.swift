import Foundation

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
      network.path("zserv.api"), "--vty_socket", directory, "-P", "0", "--log",
      "file:\(directory)/\(daemon).log",
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

  func kill() { if let bgpd { network.stop(bgpd) } }

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
