internal import CNetlink
internal import Glibc
public import Wire

/// A veth pair between this node and a VM's network namespace, with address, MTU and routes at the VM's end.
///
/// ```
///  VM's namespace                       node's namespace
///  eth0, ADDRESS/32 ──────────────────── NAME OF THE NODE'S END
///  no ARP: frames go to its own MAC      no address: the stack takes none of these frames
/// ```
/// Without ARP a device sends to its own MAC address (`arp_constructor` of Linux), which the node's end does
/// not have: so a frame of the VM is for somebody else there, the stack leaves it alone, and a packet socket
/// or a tc program has it. A VM that sets this aside reaches no further: the node's end checks sources,
/// forwards nothing, and its tc program lets nothing into the stack.
public struct TenantPair: Hashable, Sendable {
  /// The name of the VM's end, inside its namespace.
  public var name: String
  /// The name of the node's end.
  public var nodeName: String
  /// The VM's address; it gets the whole device for itself (/32).
  public var address: IPv4Address
  /// The largest packet in bytes: the underlay's MTU less 20 for IPIP.
  public var mtu: UInt32

  /// The MAC address of every VM's end: no two are on one link.
  public static let machineAddress: [UInt8] = [0x02, 0, 0, 0, 0, 0x02]
  /// The Ethernet header of what the node sends to a VM.
  @inline(always) public static var headerToMachine: (low: UInt64, high: UInt64) {
    // 02:00:00:00:00:02 ← 02:00:00:00:00:01, IPv4, as it lies in memory.
    (0x0002_0200_0000_0002, 0x0008_0100_0000)
  }

  /// Describes a pair.
  public init(name: String, nodeName: String, address: IPv4Address, mtu: UInt32) {
    self.name = name
    self.nodeName = nodeName
    self.address = address
    self.mtu = mtu
  }

  /// Makes the pair, or takes over the one that is there, and makes everything as described; the node's end
  /// stays down when it is new, until `switchOn`.
  ///
  /// A device of another kind in the place of the VM's end is removed.
  ///
  /// ```
  /// ip link add NODENAME mtu MTU type veth peer name NAME netns NAMESPACE address 02:00:00:00:00:02
  /// ip link set NAME arp off up; ip address replace ADDRESS/32 dev NAME; ip route replace default dev NAME
  /// ```
  public func open(in namespace: borrowing NetworkNamespace) throws(PlatformError) -> NetworkLink {
    let netlink = try Netlink.open()
    let tenant = try Netlink.open(in: namespace)
    if try !isWhole(netlink, tenant) {
      try netlink.deleteLink(named: nodeName)
      try tenant.deleteLink(named: name)
      try netlink.createPair(self, in: namespace)
    }
    let link = try netlink.link(named: nodeName)
    try Sysctl.write("1", to: "net/ipv4/conf/\(nodeName)/rp_filter")
    try Sysctl.write("0", to: "net/ipv4/conf/\(nodeName)/forwarding")
    // A kernel without IPv6 has nothing to switch off.
    try? Sysctl.write("1", to: "net/ipv6/conf/\(nodeName)/disable_ipv6")
    try netlink.setMTU(mtu, link: nodeName)
    try configure(tenant)
    return link
  }

  /// Lets packets flow; the program that watches the node's end is in its place by now.
  public func switchOn() throws(PlatformError) { try Netlink.open().setUp(true, link: nodeName) }

  /// Removes the pair, if it is there.
  public func remove() throws(PlatformError) { try Netlink.open().deleteLink(named: nodeName) }

  /// Whether both ends are there, and are each other's.
  private func isWhole(
    _ netlink: borrowing Netlink, _ tenant: borrowing Netlink
  ) throws(PlatformError) -> Bool {
    let ours = try netlink.links().first { $0.name == nodeName }
    let theirs = try tenant.links().first { $0.name == name }
    guard let ours, let theirs, ours.kind == "veth", theirs.kind == "veth" else { return false }
    let (ahead, back) = (try netlink.peer(ofLink: nodeName), try tenant.peer(ofLink: name))
    return ahead == theirs.index && back == ours.index
  }

  private func configure(_ tenant: borrowing Netlink) throws(PlatformError) {
    try tenant.setUp(true, link: "lo")
    try tenant.setMTU(mtu, link: name)
    try tenant.setAddress(Self.machineAddress, link: name)
    try tenant.switchOffARP(link: name)
    for old in try tenant.addresses(link: name) where old.address != address || old.prefixLength != 32 {
      try tenant.removeAddress(old.address, prefixLength: old.prefixLength, link: name)
    }
    try tenant.addAddress(address, link: name)
    try tenant.setUp(true, link: name)
    try tenant.replaceRoute(Route(to: IPv4Prefix(.any, length: 0), device: name))
  }
}

extension Netlink {
  /// Makes the pair, both ends down.
  borrowing func createPair(
    _ pair: TenantPair, in namespace: borrowing NetworkNamespace
  ) throws(PlatformError) {
    guard let link = unsafe rtnl_link_veth_alloc() else { preconditionFailure("memory for a link") }
    defer { unsafe rtnl_link_veth_release(link) }
    unsafe rtnl_link_set_name(link, pair.nodeName)
    unsafe rtnl_link_set_mtu(link, pair.mtu)
    guard let peer = unsafe rtnl_link_veth_get_peer(link) else { preconditionFailure("a pair has two ends") }
    unsafe rtnl_link_set_name(peer, pair.name)
    unsafe rtnl_link_set_ns_fd(peer, namespace.raw)
    unsafe rtnl_link_put(peer)
    let code = unsafe rtnl_link_add(socket, link, NLM_F_CREATE | NLM_F_EXCL)
    try check(code, "create", "veth pair \(pair.nodeName), \(pair.name) in namespace \(namespace.name)")
  }
}
