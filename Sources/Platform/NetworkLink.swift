internal import CNetlink
internal import Glibc

/// A network device as the kernel describes it.
///
/// The corresponding command is `ip link show`.
public struct NetworkLink: Hashable, Sendable {
  /// The device's index in its namespace.
  public let index: Int32
  /// The device's name.
  public let name: String
  /// The largest packet in bytes.
  public let mtu: UInt32
  /// Whether the device is switched on (IFF_UP); its carrier is another matter.
  public let isUp: Bool
  /// "tun", "veth", "ipip", …; nil for devices without a kind, such as `lo`.
  public let kind: String?
  /// Whether its frames begin with an Ethernet header; false for `lo`, TUN devices and tunnels.
  public let isEthernet: Bool
  /// The device's address on the link, 6 bytes of Ethernet's; empty when it has none.
  public let address: [UInt8]
}

extension Netlink {
  /// The device of a name.
  ///
  /// The corresponding command is `ip link show dev NAME`.
  public borrowing func link(named name: String) throws(PlatformError) -> NetworkLink {
    try unsafe withLink(0, name, "device \(name)") { link in unsafe Self.describe(link) }
  }

  /// The device of an index.
  ///
  /// The corresponding command is `ip link`.
  public borrowing func link(index: Int32) throws(PlatformError) -> NetworkLink {
    try unsafe withLink(index, nil, "device number \(index)") { link in unsafe Self.describe(link) }
  }

  /// All devices, by index.
  ///
  /// The corresponding command is `ip link`.
  public borrowing func links() throws(PlatformError) -> [NetworkLink] {
    var pointer: OpaquePointer?
    try check(unsafe rtnl_link_alloc_cache(socket, AF_UNSPEC, &pointer), "list", "devices")
    guard let pointer = unsafe pointer else { return [] }
    let cache = unsafe NetlinkCache(owning: pointer)
    return unsafe cache.compactMap { object in unsafe Self.describe(object) }.sorted { $0.index < $1.index }
  }

  /// Switches a device on or off.
  ///
  /// The corresponding command is `ip link set NAME up`.
  public borrowing func setUp(_ isUp: Bool, link name: String) throws(PlatformError) {
    try unsafe change(name, isUp ? "switch on" : "switch off") { changes in
      if isUp {
        unsafe rtnl_link_set_flags(changes, UInt32(IFF_UP))
      } else {
        unsafe rtnl_link_unset_flags(changes, UInt32(IFF_UP))
      }
    }
  }

  /// Sets the largest packet in bytes.
  ///
  /// The corresponding command is `ip link set NAME mtu MTU`.
  public borrowing func setMTU(_ mtu: UInt32, link name: String) throws(PlatformError) {
    try unsafe change(name, "set MTU \(mtu) of") { changes in unsafe rtnl_link_set_mtu(changes, mtu) }
  }

  /// Sets how many packets wait in a device until they are read or sent; of a TUN device in each queue.
  ///
  /// The corresponding command is `ip link set NAME txqueuelen COUNT`.
  public borrowing func setQueueLength(_ count: UInt32, link name: String) throws(PlatformError) {
    try unsafe change(name, "set queue length \(count) of") { changes in
      unsafe rtnl_link_set_txqlen(changes, count)
    }
  }

  /// Sets the MAC address of an Ethernet device.
  ///
  /// The corresponding command is `ip link set NAME address ADDRESS`.
  public borrowing func setAddress(_ address: [UInt8], link name: String) throws(PlatformError) {
    guard
      let built = unsafe address.withUnsafeBytes({
        unsafe nl_addr_build(AF_PACKET, UnsafeMutableRawPointer(mutating: $0.baseAddress), $0.count)
      })
    else { preconditionFailure("memory for an address") }
    defer { unsafe nl_addr_put(built) }
    try unsafe change(name, "set the MAC address of") { changes in unsafe rtnl_link_set_addr(changes, built) }
  }

  /// Lets a device do without ARP.
  ///
  /// The corresponding command is `ip link set NAME arp off`.
  public borrowing func switchOffARP(link name: String) throws(PlatformError) {
    try unsafe change(name, "switch off ARP of") { changes in
      unsafe rtnl_link_set_flags(changes, UInt32(IFF_NOARP))
    }
  }

  /// The index of a veth device's other end, in the namespace where that is.
  ///
  /// The corresponding command is `ip link show NAME`, which writes NAME@ifINDEX.
  public borrowing func peer(ofLink name: String) throws(PlatformError) -> Int32 {
    try unsafe withLink(0, name, "device \(name)") { link in unsafe rtnl_link_get_link(link) }
  }

  /// Removes a device, if it is there.
  ///
  /// The corresponding command is `ip link delete NAME`.
  public borrowing func deleteLink(named name: String) throws(PlatformError) {
    guard let target = unsafe rtnl_link_alloc() else { preconditionFailure("memory for a link") }
    defer { unsafe rtnl_link_put(target) }
    unsafe rtnl_link_set_name(target, name)
    try check(unsafe rtnl_link_delete(socket, target), "delete", "device \(name)", passing: ENODEV)
  }

  /// Asks the kernel for one device and frees it afterwards.
  private borrowing func withLink<Value>(
    _ index: Int32, _ name: String?, _ label: String, _ body: (OpaquePointer) -> Value
  ) throws(PlatformError) -> Value {
    var found: OpaquePointer?
    try check(unsafe rtnl_link_get_kernel(socket, index, name, &found), "find", label)
    guard let link = unsafe found else {
      throw PlatformError("find", "\(label) in \(place)", Errno(rawValue: ENODEV))
    }
    defer { unsafe rtnl_link_put(link) }
    return unsafe body(link)
  }

  private borrowing func change(
    _ name: String, _ attempt: String, _ set: (OpaquePointer) -> Void
  ) throws(PlatformError) {
    guard let target = unsafe rtnl_link_alloc(), let changes = unsafe rtnl_link_alloc() else {
      preconditionFailure("memory for a link")
    }
    defer {
      unsafe rtnl_link_put(target)
      unsafe rtnl_link_put(changes)
    }
    let index = try link(named: name).index
    unsafe rtnl_link_set_ifindex(target, index)
    unsafe set(changes)
    try check(unsafe rtnl_link_change(socket, target, changes, 0), attempt, "device \(name)")
  }

  /// ARPHRD_ETHER of Linux.
  private static var ethernet: UInt32 { 1 }

  private static func describe(_ link: OpaquePointer) -> NetworkLink {
    let name = unsafe rtnl_link_get_name(link)
    let kind = unsafe rtnl_link_get_type(link)
    return unsafe NetworkLink(
      index: rtnl_link_get_ifindex(link), name: name.map { unsafe String(cString: $0) } ?? "",
      mtu: rtnl_link_get_mtu(link), isUp: rtnl_link_get_flags(link) & UInt32(IFF_UP) != 0,
      kind: kind.map { unsafe String(cString: $0) },
      isEthernet: rtnl_link_get_arptype(link) == Self.ethernet,
      address: NetlinkAddress.bytes(rtnl_link_get_addr(link)))
  }
}
