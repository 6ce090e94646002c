import Foundation
import Platform

/// A network namespace with one device, by which every address is reached through one gateway.
///
/// It has no name by the time it is used, so nothing is left of it however the run ends.
final class KernelLab {
  let namespace: NetworkNamespace
  /// Where packets come in and leave.
  let device: Int32

  /// Makes it, as root, and stays on one CPU from now on: what the kernel keeps for each CPU stays in its cache.
  init() throws {
    if let cpu = WorkerThread.availableCPUs.last { try WorkerThread.stay(onCPU: cpu) }
    let name = "ananta-bench-\(ProcessInfo.processInfo.processIdentifier)"
    namespace = try NetworkNamespace.create(named: name)
    defer { try? NetworkNamespace.remove(named: name) }
    for line in [
      "link add uplink address 02:00:00:00:00:02 type veth peer name gateway", "link set uplink up",
      "link set gateway up", "addr add 10.0.0.1/24 dev uplink", "route add default via 10.0.0.254",
      "neigh add 10.0.0.254 lladdr 02:00:00:00:00:01 dev uplink nud permanent",
    ] {
      try Self.ip(["-n", name] + line.split(separator: " ").map(String.init))
    }
    try namespace.run { () throws(PlatformError) in
      try Sysctl.write("1", to: "net/ipv4/conf/uplink/forwarding")
    }
    device = try Netlink.open(in: namespace).link(named: "uplink").index
  }

  static func ip(_ words: [String]) throws {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["ip"] + words
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw BenchFailure("ip \(words.joined(separator: " ")) failed") }
  }
}

/// Why something could not be measured, in one sentence.
struct BenchFailure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
