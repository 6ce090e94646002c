import Control
import Foundation
import Wire

/// FRR in the router's namespace: zebra writes routes into the kernel, bgpd learns them from the MUXes.
struct RouterDaemons {
  /// Where Debian puts FRR's daemons.
  static let directory = "/usr/lib/frr"

  /// What the lab consists of.
  let topology: Topology
  /// FRR's files: configuration, sockets, logs.
  let directory: String

  /// bgpd's configuration.
  ///
  /// - MUXes need no lines of their own: whoever speaks from a MUX's link is one.
  /// - Without `graceful-restart-disable` FRR keeps the routes of a dead MUX for the restart time it asked for.
  var bgpConfiguration: String {
    let muxes = topology.machines(with: .mux)
    let ranges = muxes.map { " bgp listen range \($0.link.prefix) peer-group MUX\n" }.joined()
    let vips = topology.router.vips.enumerated()
      .map { "ip prefix-list VIPS seq \(5 * ($0 + 1)) permit \($1)\($1.length < 32 ? " ge 32 le 32" : "")\n" }
    let identifier = muxes.first?.link.router.description ?? "192.0.2.1"
    return """
      hostname \(topology.router.name)
      log timestamp precision 3
      !
      router bgp \(topology.router.autonomousSystem)
       bgp router-id \(identifier)
       no bgp ebgp-requires-policy
       bgp graceful-restart-disable
       bgp bestpath as-path multipath-relax
       neighbor MUX peer-group
       neighbor MUX remote-as external
       neighbor MUX timers 3 9
      \(ranges) bgp listen limit \(max(muxes.count, 1) + 8)
       address-family ipv4 unicast
        maximum-paths 64
        neighbor MUX route-map NONE out
        neighbor MUX prefix-list VIPS in
       exit-address-family
      !
      \(vips.joined())route-map NONE deny 10

      """
  }

  /// zebra's configuration: classic multipath routes, since FRR 8.4 loses members of a nexthop object for good
  /// when a link flaps.
  var zebraConfiguration: String { "no zebra nexthop kernel enable\n" }

  /// Writes the configuration and starts both daemons in a namespace.
  ///
  /// They start as root and go on as user frr, whom the directory must belong to.
  func start(in namespace: String) async throws(LabError) -> [RecordedProcess] {
    try StateFiles.makeDirectory(directory)
    try StateFiles.write(zebraConfiguration, to: "\(directory)/zebra.conf")
    try StateFiles.write(bgpConfiguration, to: "\(directory)/bgpd.conf")
    try await ExternalCommand(["chown", "-R", "frr:frr", directory]).check()
    var processes: [RecordedProcess] = []
    for name in ["zebra", "bgpd"] {
      let words = [
        "\(Self.directory)/\(name)", "-f", "\(directory)/\(name).conf", "-i", "\(directory)/\(name).pid",
        "-z", "\(directory)/zserv.api", "--vty_socket", directory, "-P", "0",
        "--log", "stdout", "--log-level", "informational",
      ]
      let daemon = Daemon(
        member: topology.router.name, duty: .router, label: name, namespace: namespace, words: words,
        directory: directory, log: "\(directory)/\(name).log")
      let process = try await daemon.start()
      processes.append(process)
      await Patience.wait(upTo: Limits.daemonStartMilliseconds) {
        FileManager.default.fileExists(atPath: "\(directory)/\(name).vty") || !process.isRunning
      }
      guard process.isRunning else {
        throw LabError(.command, "\(name) ended at once; \(directory)/\(name).log says why.")
      }
    }
    return processes
  }
}
