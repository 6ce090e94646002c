import Foundation
import Glibc

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
