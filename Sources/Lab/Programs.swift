import Foundation
import Glibc

/// Where the programs lie that the lab runs on its nodes.
public struct Programs: Codable, Hashable, Sendable {
  /// The agent.
  public var agent: String
  /// The operator's tool.
  public var control: String
  /// This program, which also makes traffic.
  public var lab: String

  /// Looks for the programs in a directory, then beside the own executable, then in PATH.
  public static func find(in directory: String? = nil) throws(LabError) -> Programs {
    var places: [String] = []
    if let directory { places.append(absolute(directory)) }
    let own = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    if let own { places.append(URL(fileURLWithPath: own).deletingLastPathComponent().path) }
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin"
    places += path.split(separator: ":").map(String.init)
    func find(_ name: String) throws(LabError) -> String {
      let found = places.lazy.map { "\($0)/\(name)" }.first { isProgram($0) }
      if let found { return found }
      throw LabError(
        .missing, "\(name) was not found; build it (`make release`) or name its directory with --bin.")
    }
    return Programs(
      agent: try find("ananta-agent"), control: try find("ananta-ctl"), lab: try find("ananta-lab"))
  }

  private static func absolute(_ path: String) -> String {
    URL(fileURLWithPath: path).standardizedFileURL.path
  }

  private static func isProgram(_ path: String) -> Bool {
    FileManager.default.isExecutableFile(atPath: path)
  }
}

/// What a machine must have before a lab can be made on it.
enum Prerequisites {
  /// Programs, and the Debian package each comes from.
  private static let tools = [
    ("ip", "iproute2"), ("sysctl", "procps"), ("nginx", "nginx-light"), ("iperf3", "iperf3"),
    ("ethtool", "ethtool"), ("timeout", "coreutils"), ("setsid", "util-linux"),
    (RouterDaemons.directory + "/zebra", "frr"), (RouterDaemons.directory + "/bgpd", "frr"),
  ]
  private static let measuringTools = [("curl", "curl"), ("tcpdump", "tcpdump"), ("nft", "nftables")]

  /// Refuses with one sentence if something is missing.
  static func check(forDemo: Bool) async throws(LabError) {
    guard geteuid() == 0 else {
      throw LabError(.privilege, "A lab needs root for its network namespaces; run it with sudo.")
    }
    guard FileManager.default.fileExists(atPath: "/dev/net/tun") else {
      throw LabError(
        .missing, "/dev/net/tun is missing, so no VM can have a device; load the kernel module tun.")
    }
    for (tool, package) in tools + (forDemo ? measuringTools : []) {
      let found = try await ExternalCommand(["sh", "-c", "command -v \"$1\"", "sh", tool]).run().succeeded
      guard found else {
        throw LabError(.missing, "\(tool) was not found; `apt-get install \(package)` installs it.")
      }
    }
  }
}
