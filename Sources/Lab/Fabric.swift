import Control
import Foundation
import Wire

/// Namespaces, links, addresses and routes of a lab; what cables and a router's configuration are elsewhere.
struct Fabric {
  /// The lab's name, the first part of every namespace's.
  let lab: String
  /// What the lab consists of.
  let topology: Topology

  /// The namespace of a member.
  func namespace(_ member: String) -> String { "\(lab)-\(member)" }

  /// The router's interface towards a node or client.
  static func routerDevice(towards member: String) -> String { "to-\(member)" }

  /// The only interface of a node or client.
  static let uplink = "eth0"
  /// What the router chooses a MUX by: addresses, protocol and ports, as bits of `fib_multipath_hash_fields`.
  static let fiveTuple = "0x37"

  /// An address of a prefix that no service of a lab has: the last but one.
  static func spare(of prefix: IPv4Prefix) -> IPv4Address {
    IPv4Address(number: (prefix.address.number | ~IPv4Prefix.mask(prefix.length)) - 1)
  }

  /// Every node, client and server of the internet with its link.
  var links: [(member: String, link: Topology.Link)] {
    (topology.clients + topology.internet).map { ($0.name, $0.link) }
      + topology.machines.map { ($0.node.name, $0.link) }
  }

  /// Tells `down` which processes are at work on a lab's namespaces, should `up` be killed in the middle.
  static func mark(_ lab: String) -> String { "ANANTA_LAB=\(lab)" }

  /// The corresponding call is `ip netns add`, once for each member.
  func createNamespaces() async throws(LabError) {
    let lines = topology.members.map { "netns add \(namespace($0))\n" }
    try await ExternalCommand(["env", Self.mark(lab), "ip", "-batch", "-"], input: lines.joined()).check()
  }

  /// Lays the links; both ends are born inside their namespaces, so two labs never meet.
  func createLinks() async throws(LabError) {
    // Policy 1 takes the hash that a packet brings along from its sender's socket, if that is on the same
    // machine, and a socket changes it when it repeats a packet. Policy 3 looks into the packet, as any other
    // router does.
    try await configureSysctl(
      topology.router.name,
      [
        "net.ipv4.ip_forward=1", "net.ipv4.fib_multipath_hash_policy=3",
        "net.ipv4.fib_multipath_hash_fields=\(Self.fiveTuple)",
      ])
    for (member, _) in links { try await configureSysctl(member, []) }
    var lines = ["link set lo up"]
    for (member, link) in links {
      let device = Self.routerDevice(towards: member)
      let peer = "name \(Self.uplink) mtu \(topology.mtu) netns \(namespace(member))"
      lines.append("link add name \(device) mtu \(topology.mtu) type veth peer \(peer)")
      lines.append("addr add \(link.router)/\(link.prefix.length) dev \(device)")
      lines.append("link set \(device) up")
    }
    try await batch(topology.router.name, lines)
    for (member, link) in links {
      try await batch(
        member,
        [
          "link set lo up", "addr add \(link.address)/\(link.prefix.length) dev \(Self.uplink)",
          "link set \(Self.uplink) up", "route add default via \(link.router)",
        ])
    }
    for guest in topology.guests { try await batch(guest.name, ["link set lo up"]) }
    try await batch(
      topology.router.name,
      topology.machines.compactMap { machine in
        machine.node.locators.map { "route add \($0) via \(machine.node.address)" }
      })
    if !topology.offload { try await disableOffloads() }
    // What XDP sends by a veth pair is taken at the other end by NAPI only, which GRO switches on.
    for machine in topology.machines where machine.path == .xdp {
      let device = Self.routerDevice(towards: machine.node.name)
      try await ExternalCommand(["ethtool", "-K", device, "gro", "on"])
        .inside(namespace(topology.router.name)).check()
    }
  }

  /// Makes the sender's stack compute checksums and cut segments, so that captures hold what a wire would.
  private func disableOffloads() async throws(LabError) {
    for (member, _) in links {
      try await Self.disableOffloads(of: Self.uplink, in: namespace(member))
      try await Self.disableOffloads(
        of: Self.routerDevice(towards: member), in: namespace(topology.router.name))
    }
  }

  /// The corresponding call is `ethtool -K DEVICE tx off tso off gso off gro off`.
  static func disableOffloads(of device: String, in namespace: String) async throws(LabError) {
    let features = ["tx", "tso", "gso", "gro"].flatMap { [$0, "off"] }
    try await ExternalCommand(["ethtool", "-K", device] + features).inside(namespace).check()
  }

  /// Runs lines of `ip` inside a member's namespace; the first that fails ends it.
  private func batch(_ member: String, _ lines: [String]) async throws(LabError) {
    let text = lines.map { $0 + "\n" }.joined()
    try await ExternalCommand(["ip", "-n", namespace(member), "-batch", "-"], input: text).check()
  }

  /// Sets what interfaces made later inherit: no IPv6 chatter, no reverse-path filter.
  ///
  /// A reply that bypasses the MUX comes back by another way than its request went, which `rp_filter` refuses.
  private func configureSysctl(_ member: String, _ more: [String]) async throws(LabError) {
    var settings = ["net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.default.rp_filter=0"] + more
    if FileManager.default.fileExists(atPath: "/proc/sys/net/ipv6") {
      settings += ["net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1"]
    }
    try await ExternalCommand(["sysctl", "-q", "-w"] + settings).inside(namespace(member)).check()
  }
}
