internal import CNetlink
internal import Glibc
public import Wire

/// A tunnel of the kernel that wraps IPv4 into IPv4 (RFC 2003).
public struct IPIPTunnel: Hashable, Sendable {
  /// The device's name.
  public var name: String
  /// The outer source; `.any` lets the kernel choose.
  public var local: IPv4Address
  /// The outer destination; `.any` takes it from the route.
  public var remote: IPv4Address
  /// The outer time to live; 0 copies that of the inner packet.
  public var timeToLive: UInt8

  /// Describes a tunnel.
  public init(name: String, local: IPv4Address, remote: IPv4Address, timeToLive: UInt8 = 64) {
    self.name = name
    self.local = local
    self.remote = remote
    self.timeToLive = timeToLive
  }
}

extension Netlink {
  /// Creates a tunnel; `.unsupported` where the kernel lacks the `ipip` module, `.exists` where the name is
  /// taken.
  ///
  /// The corresponding command is `ip link add NAME type ipip local LOCAL remote REMOTE ttl TTL`.
  public borrowing func createTunnel(_ tunnel: IPIPTunnel) throws(PlatformError) {
    guard let link = unsafe rtnl_link_ipip_alloc() else { preconditionFailure("memory for a tunnel") }
    defer { unsafe rtnl_link_put(link) }
    unsafe rtnl_link_set_name(link, tunnel.name)
    if tunnel.local != .any { unsafe rtnl_link_ipip_set_local(link, tunnel.local.raw) }
    if tunnel.remote != .any { unsafe rtnl_link_ipip_set_remote(link, tunnel.remote.raw) }
    unsafe rtnl_link_ipip_set_ttl(link, tunnel.timeToLive)
    let code = unsafe rtnl_link_add(socket, link, NLM_F_CREATE | NLM_F_EXCL)
    try check(code, "create", "IPIP tunnel \(tunnel.name)")
  }

  /// Removes a tunnel, if it is there.
  ///
  /// The corresponding command is `ip link delete NAME`.
  public borrowing func deleteTunnel(named name: String) throws(PlatformError) {
    try deleteLink(named: name)
  }
}
