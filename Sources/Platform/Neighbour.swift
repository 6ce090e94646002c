internal import CNetlink
internal import Glibc
public import Wire

/// Who the kernel knows on a link, by IPv4 address.
///
/// The corresponding command is `ip -4 neigh`.
public struct Neighbour: Hashable, Sendable {
  /// The index of the device.
  public let interfaceIndex: Int32
  /// The neighbour's address.
  public let address: IPv4Address
  /// Its address on the link, 6 bytes of Ethernet's.
  public let linkAddress: [UInt8]
  /// Whether the link address is old, and nobody will ask whether it still holds before the stack sends there
  /// (NUD_STALE).
  public let isStale: Bool

  /// Describes a neighbour.
  public init(interfaceIndex: Int32, address: IPv4Address, linkAddress: [UInt8], isStale: Bool) {
    self.interfaceIndex = interfaceIndex
    self.address = address
    self.linkAddress = linkAddress
    self.isStale = isStale
  }
}

extension Netlink {
  /// The neighbours whose address on the link is known, of all devices.
  ///
  /// The corresponding command is `ip -4 neigh show`.
  public borrowing func neighbours() throws(PlatformError) -> [Neighbour] {
    var pointer: OpaquePointer?
    try check(unsafe rtnl_neigh_alloc_cache(socket, &pointer), "list", "neighbours")
    guard let pointer = unsafe pointer else { return [] }
    let cache = unsafe NetlinkCache(owning: pointer)
    return unsafe cache.compactMap { object in
      guard let address = unsafe NetlinkAddress.address(rtnl_neigh_get_dst(object)) else { return nil }
      let linkAddress = unsafe NetlinkAddress.bytes(rtnl_neigh_get_lladdr(object))
      guard !linkAddress.isEmpty else { return nil }
      return unsafe Neighbour(
        interfaceIndex: rtnl_neigh_get_ifindex(object), address: address, linkAddress: linkAddress,
        isStale: rtnl_neigh_get_state(object) & NUD_STALE != 0)
    }
  }

  /// Does as if a packet had been sent to a neighbour, so that the kernel asks whether its address on the link still
  /// holds (NTF_USE); one that is not known any more is no error.
  ///
  /// The corresponding command is `ip neigh change ADDRESS dev NAME use`.
  public borrowing func use(_ neighbour: Neighbour) throws(PlatformError) {
    guard let object = unsafe rtnl_neigh_alloc() else { preconditionFailure("memory for a neighbour") }
    defer { unsafe rtnl_neigh_put(object) }
    let address = NetlinkAddress(neighbour.address)
    let label = "neighbour \(neighbour.address)"
    unsafe rtnl_neigh_set_ifindex(object, neighbour.interfaceIndex)
    unsafe rtnl_neigh_set_state(object, NUD_NONE)
    unsafe rtnl_neigh_set_flags(object, UInt32(NTF_USE))
    try check(unsafe rtnl_neigh_set_dst(object, address.pointer), "use", label)
    try check(unsafe rtnl_neigh_add(socket, object, 0), "use", label, passing: ENOENT)
  }
}
