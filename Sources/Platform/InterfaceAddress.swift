internal import CNetlink
internal import Glibc
public import Wire

/// An IPv4 address on a device.
///
/// The corresponding command is `ip -4 address`.
public struct InterfaceAddress: Hashable, Sendable {
  /// The index of the device.
  public let interfaceIndex: Int32
  /// The address.
  public let address: IPv4Address
  /// The length of the prefix that is on the device's link, 0 to 32.
  public let prefixLength: UInt8

  /// Describes an address.
  public init(interfaceIndex: Int32, address: IPv4Address, prefixLength: UInt8) {
    self.interfaceIndex = interfaceIndex
    self.address = address
    self.prefixLength = prefixLength
  }
}

extension Netlink {
  /// Gives a device an address, unless it has it.
  ///
  /// The corresponding command is `ip address replace ADDRESS dev NAME`.
  public borrowing func addAddress(
    _ address: IPv4Address, prefixLength: UInt8 = 32, link name: String
  ) throws(PlatformError) {
    let label = "address \(address)/\(prefixLength) of device \(name)"
    try unsafe withAddress(address, prefixLength, name) { (object) throws(PlatformError) in
      let code = unsafe rtnl_addr_add(socket, object, NLM_F_CREATE | NLM_F_REPLACE)
      try check(code, "add", label, passing: EEXIST)
    }
  }

  /// Takes an address from a device, if it has it.
  ///
  /// The corresponding command is `ip address del ADDRESS dev NAME`.
  public borrowing func removeAddress(
    _ address: IPv4Address, prefixLength: UInt8 = 32, link name: String
  ) throws(PlatformError) {
    let label = "address \(address)/\(prefixLength) of device \(name)"
    try unsafe withAddress(address, prefixLength, name) { (object) throws(PlatformError) in
      try check(unsafe rtnl_addr_delete(socket, object, 0), "remove", label, passing: EADDRNOTAVAIL)
    }
  }

  /// The IPv4 addresses of all devices, or of one.
  ///
  /// The corresponding command is `ip -4 address show`.
  public borrowing func addresses(link name: String? = nil) throws(PlatformError) -> [InterfaceAddress] {
    var index: Int32?
    if let name { index = try link(named: name).index }
    var pointer: OpaquePointer?
    try check(unsafe rtnl_addr_alloc_cache(socket, &pointer), "list", "addresses")
    guard let pointer = unsafe pointer else { return [] }
    let cache = unsafe NetlinkCache(owning: pointer)
    return unsafe cache.compactMap { object in
      guard unsafe rtnl_addr_get_family(object) == AF_INET,
        let address = unsafe NetlinkAddress.address(rtnl_addr_get_local(object))
      else { return nil }
      let found = unsafe InterfaceAddress(
        interfaceIndex: rtnl_addr_get_ifindex(object), address: address,
        prefixLength: UInt8(clamping: rtnl_addr_get_prefixlen(object)))
      return index == nil || index == found.interfaceIndex ? found : nil
    }
  }

  private borrowing func withAddress(
    _ address: IPv4Address, _ prefixLength: UInt8, _ name: String,
    _ body: (OpaquePointer) throws(PlatformError) -> Void
  ) throws(PlatformError) {
    let index = try link(named: name).index
    guard let object = unsafe rtnl_addr_alloc() else { preconditionFailure("memory for an address") }
    defer { unsafe rtnl_addr_put(object) }
    let local = NetlinkAddress(address, prefixLength: prefixLength)
    unsafe rtnl_addr_set_ifindex(object, index)
    try check(unsafe rtnl_addr_set_local(object, local.pointer), "use", "address \(address)")
    unsafe try body(object)
  }
}
