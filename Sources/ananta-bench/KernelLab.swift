import Foundation
import Platform

/// A network namespace with one device, by which every address is reached through one gateway.
///
/// It has no name by the time it is used, so nothing is left of it however the run ends.
final class KernelLab {
  let namespace: NetworkNamespace
  /// Where packets come in and leave.
  let device: Int32
  /// The other end of the pair.
  let gateway: Int32
  /// The CPU that everything runs on.
  let cpu: Int

  /// Makes it, as root, and stays on one CPU from now on: what the kernel keeps for each CPU stays in its cache.
  init() throws {
    cpu = WorkerThread.availableCPUs.last ?? 0
    try WorkerThread.stay(onCPU: cpu)
    let name = "ananta-bench-\(ProcessInfo.processInfo.processIdentifier)"
    namespace = try NetworkNamespace.create(named: name)
    defer { try? NetworkNamespace.remove(named: name) }
    for line in [
      "link add uplink address 02:00:00:00:00:02 type veth peer name gateway address 02:00:00:00:00:01",
      "link set uplink up",
      "link set gateway up", "addr add 10.0.0.1/24 dev uplink", "route add default via 10.0.0.254",
      "neigh add 10.0.0.254 lladdr 02:00:00:00:00:01 dev uplink nud permanent",
    ] {
      try Self.run(["ip", "-n", name] + line.split(separator: " ").map(String.init))
    }
    try namespace.run { () throws(PlatformError) in
      try Sysctl.write("1", to: "net/ipv4/conf/uplink/forwarding")
      // What leaves by the device it came by is meant so.
      try Sysctl.write("0", to: "net/ipv4/conf/uplink/send_redirects")
      try Sysctl.write("0", to: "net/ipv4/conf/all/send_redirects")
    }
    // Without it a pair takes no frames of XDP where no program is attached.
    try Self.run(["ip", "netns", "exec", name, "ethtool", "-K", "uplink", "gro", "on"])
    let netlink = try Netlink.open(in: namespace)
    device = try netlink.link(named: "uplink").index
    gateway = try netlink.link(named: "gateway").index
  }

  private static func run(_ words: [String]) throws {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = words
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw BenchFailure("\(words.joined(separator: " ")) failed") }
  }
}

/// Why something could not be measured, in one sentence.
struct BenchFailure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
