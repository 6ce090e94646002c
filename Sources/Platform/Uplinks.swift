internal import CNetlink
internal import Glibc
public import Wire

extension Netlink {
  /// The Ethernet devices by which packets for this node arrive, by index: those that hold its address, or, where the
  /// address is the loopback device's, as with several uplinks, those that the default routes lead to.
  ///
  /// The corresponding commands are `ip address show to ADDRESS` and `ip route show default`.
  public borrowing func uplinks(of address: IPv4Address) throws(PlatformError) -> [NetworkLink] {
    let links = try links().filter(\.isEthernet)
    let holders = Set(try addresses().filter { $0.address == address }.map(\.interfaceIndex))
    let holding = links.filter { holders.contains($0.index) }
    guard holding.isEmpty else { return holding }
    let exits = try defaultRouteDevices()
    return links.filter { exits.contains($0.index) }
  }

  /// The indices of the devices of all next hops of all default routes in the main table.
  private borrowing func defaultRouteDevices() throws(PlatformError) -> Set<Int32> {
    var pointer: OpaquePointer?
    try check(unsafe rtnl_route_alloc_cache(socket, AF_INET, 0, &pointer), "list", "routes")
    guard let pointer = unsafe pointer else { return [] }
    let cache = unsafe NetlinkCache(owning: pointer)
    let devices: [[Int32]] = unsafe cache.compactMap { object in
      guard unsafe rtnl_route_get_table(object) == Route.mainTable,
        let destination = unsafe NetlinkAddress.prefix(rtnl_route_get_dst(object)), destination.length == 0
      else { return nil }
      let count = unsafe rtnl_route_get_nnexthops(object)
      return (0..<max(0, count)).compactMap { place in
        guard let hop = unsafe rtnl_route_nexthop_n(object, place) else { return nil }
        return unsafe rtnl_route_nh_get_ifindex(hop)
      }
    }
    return Set(devices.flatMap(\.self))
  }
}
