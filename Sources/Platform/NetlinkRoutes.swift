internal import CNetlink
internal import Glibc
internal import Wire

extension Netlink {
  /// Adds a route, or replaces the one with the same destination, table and metric.
  ///
  /// The corresponding command is `ip route replace ROUTE`.
  public borrowing func replaceRoute(_ route: Route) throws(PlatformError) {
    try unsafe withRoute(route) { (object) throws(PlatformError) in
      let code = unsafe rtnl_route_add(socket, object, NLM_F_CREATE | NLM_F_REPLACE)
      try check(code, "set", "route \(route)")
    }
  }

  /// Adds a route; `.exists` when there is one with the same destination, table and metric.
  ///
  /// The corresponding command is `ip route add ROUTE`.
  public borrowing func addRoute(_ route: Route) throws(PlatformError) {
    try unsafe withRoute(route) { (object) throws(PlatformError) in
      try check(
        unsafe rtnl_route_add(socket, object, NLM_F_CREATE | NLM_F_EXCL), "add", "route \(route)")
    }
  }

  /// Removes a route, if it is there.
  ///
  /// The corresponding command is `ip route del ROUTE`.
  public borrowing func removeRoute(_ route: Route) throws(PlatformError) {
    try unsafe withRoute(route) { (object) throws(PlatformError) in
      try check(unsafe rtnl_route_delete(socket, object, 0), "remove", "route \(route)", passing: ESRCH)
    }
  }

  /// The IPv4 routes of all tables, or of one, perhaps of one maker only.
  ///
  /// The corresponding command is `ip -4 route show table TABLE proto PROTOCOL`.
  public borrowing func routes(
    table: UInt32? = nil, origin: RouteProtocol? = nil
  ) throws(PlatformError) -> [Route] {
    let names = Dictionary(uniqueKeysWithValues: try links().map { ($0.index, $0.name) })
    var pointer: OpaquePointer?
    try check(unsafe rtnl_route_alloc_cache(socket, AF_INET, 0, &pointer), "list", "routes")
    guard let pointer = unsafe pointer else { return [] }
    let cache = unsafe NetlinkCache(owning: pointer)
    return unsafe cache.compactMap { object in
      guard let route = unsafe Self.describe(object, names) else { return nil }
      guard table == nil || table == route.table else { return nil }
      return origin == nil || origin == route.origin ? route : nil
    }
  }

  /// Removes every IPv4 route of one maker, in all tables or in one; how many there were.
  ///
  /// The corresponding command is `ip -4 route flush table TABLE proto PROTOCOL`.
  @discardableResult public borrowing func removeRoutes(
    origin: RouteProtocol, table: UInt32? = nil
  ) throws(PlatformError) -> Int {
    let found = try routes(table: table, origin: origin)
    for route in found { try removeRoute(route) }
    return found.count
  }

  private static func describe(_ object: OpaquePointer, _ names: [Int32: String]) -> Route? {
    guard unsafe rtnl_route_get_family(object) == UInt8(AF_INET),
      let destination = unsafe NetlinkAddress.prefix(rtnl_route_get_dst(object))
    else { return nil }
    var route = unsafe Route(
      to: destination, table: rtnl_route_get_table(object), metric: rtnl_route_get_priority(object),
      origin: RouteProtocol(rawValue: rtnl_route_get_protocol(object)))
    switch CInt(unsafe rtnl_route_get_type(object)) {
    case CInt(RTN_UNICAST): route.kind = .unicast
    case CInt(RTN_BLACKHOLE): route.kind = .blackhole
    case CInt(RTN_LOCAL): route.kind = .local
    default: route.kind = .other
    }
    route.source = unsafe NetlinkAddress.address(rtnl_route_get_pref_src(object))
    if unsafe rtnl_route_get_nnexthops(object) > 0, let hop = unsafe rtnl_route_nexthop_n(object, 0) {
      route.gateway = unsafe NetlinkAddress.address(rtnl_route_nh_get_gateway(hop))
      route.device = unsafe names[rtnl_route_nh_get_ifindex(hop)]
      route.isOnLink = unsafe rtnl_route_nh_get_flags(hop) & UInt32(RTNH_F_ONLINK) != 0
    }
    return route
  }

  private borrowing func withRoute(
    _ route: Route, _ body: (OpaquePointer) throws(PlatformError) -> Void
  ) throws(PlatformError) {
    guard let object = unsafe rtnl_route_alloc() else { preconditionFailure("memory for a route") }
    defer { unsafe rtnl_route_put(object) }
    let destination = NetlinkAddress(route.destination)
    unsafe rtnl_route_set_family(object, UInt8(AF_INET))
    try check(unsafe rtnl_route_set_dst(object, destination.pointer), "use", "route \(route)")
    unsafe rtnl_route_set_table(object, route.table)
    unsafe rtnl_route_set_protocol(object, route.origin.rawValue)
    unsafe rtnl_route_set_priority(object, route.metric)
    switch route.kind {
    case .unicast:
      try unsafe addNextHop(route, to: object)
    case .blackhole:
      try check(unsafe rtnl_route_set_type(object, UInt8(RTN_BLACKHOLE)), "use", "route \(route)")
      unsafe rtnl_route_set_scope(object, UInt8(RT_SCOPE_UNIVERSE.rawValue))
    case .local, .other:
      throw PlatformError(
        "use", "route \(route)", Errno(rawValue: EINVAL), reason: .invalid,
        advice: "Ananta makes unicast and blackhole routes only.")
    }
    if let source = route.source {
      let address = NetlinkAddress(source)
      try check(unsafe rtnl_route_set_pref_src(object, address.pointer), "use", "route \(route)")
    }
    try unsafe body(object)
  }

  /// The route owns the next hop once it was added, so that there is nothing to free afterwards.
  private borrowing func addNextHop(_ route: Route, to object: OpaquePointer) throws(PlatformError) {
    var index: Int32 = 0
    if let device = route.device { index = try link(named: device).index }
    guard let hop = unsafe rtnl_route_nh_alloc() else { preconditionFailure("memory for a next hop") }
    unsafe rtnl_route_nh_set_ifindex(hop, index)
    if let gateway = route.gateway {
      let address = NetlinkAddress(gateway)
      unsafe rtnl_route_nh_set_gateway(hop, address.pointer)
    }
    if route.isOnLink { unsafe rtnl_route_nh_set_flags(hop, UInt32(RTNH_F_ONLINK)) }
    unsafe rtnl_route_add_nexthop(object, hop)
    let scope = route.gateway == nil ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE
    unsafe rtnl_route_set_scope(object, UInt8(scope.rawValue))
  }
}
