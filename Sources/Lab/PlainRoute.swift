import Control
public import Wire

/// A server beside the VMs of a host that packets reach by the same nodes, by plain forwarding: client,
/// router, MUX, router, host, and a namespace behind a veth pair.
///
/// What a load balancer costs is the difference to this; a server in the host's own namespace is two hops nearer.
public struct PlainRoute: Sendable {
  /// The server's address: of what RFC 2544 sets aside for benchmarks.
  public static let address = IPv4Address(number: 0xc612_0002)
  private static let gateway = IPv4Address(number: 0xc612_0001)
  private static let prefix = IPv4Prefix(IPv4Address(number: 0xc612_0000), length: 30)
  /// The namespace's name behind the lab's.
  static let member = "plain"
  /// The router's table for what comes back from the MUX; routes of this lab use no other.
  private static let table = 2544

  /// The namespace as `ip netns` names it.
  let namespace: String

  /// Makes the namespace and the routes; `ananta-lab down` removes them with the lab.
  static func lay(in lab: inout Lab, mux: Topology.Machine, host: Topology.Machine) async throws(LabError)
    -> Self
  {
    let namespace = lab.fabric.namespace(member)
    lab.record.namespaces.append(.init(name: namespace, inode: nil))
    try lab.record.save()
    try await ExternalCommand(["ip", "netns", "add", namespace]).check()
    lab.record.namespaces[lab.record.namespaces.count - 1].inode = Namespaces.inode(of: namespace)
    try lab.record.save()
    let pair = "link add name plain mtu \(lab.topology.mtu) type veth"
    try await batch(
      try lab.namespace(of: host.node.name),
      [
        "\(pair) peer name \(Fabric.uplink) mtu \(lab.topology.mtu) netns \(namespace)",
        "addr add \(gateway)/\(prefix.length) dev plain", "link set plain up",
      ])
    try await batch(
      namespace,
      [
        "link set lo up", "addr add \(address)/\(prefix.length) dev \(Fabric.uplink)",
        "link set \(Fabric.uplink) up", "route add default via \(gateway)",
      ])
    let device = Fabric.routerDevice(towards: mux.node.name)
    try await batch(
      try lab.namespace(of: lab.topology.router.name),
      [
        "route add \(prefix) via \(mux.node.address)",
        "route add \(prefix) via \(host.node.address) table \(table)",
        "rule add iif \(device) to \(prefix) lookup \(table)",
      ])
    // The MUX sends packets back to where they came from, which Linux would tell the sender each time.
    let redirects = ["all", Fabric.uplink].map { "net.ipv4.conf.\($0).send_redirects=0" }
    for node in [mux.node.name, host.node.name] {
      try await ExternalCommand(["sysctl", "-q", "-w", "net.ipv4.ip_forward=1"] + redirects)
        .inside(try lab.namespace(of: node)).check()
    }
    return PlainRoute(namespace: namespace)
  }

  private static func batch(_ namespace: String, _ lines: [String]) async throws(LabError) {
    let text = lines.map { $0 + "\n" }.joined()
    try await ExternalCommand(["ip", "-n", namespace, "-batch", "-"], input: text).check()
  }
}
