internal import CNetlink
internal import Glibc
public import Wire

/// Which table answers for which packets, or that they vanish.
///
/// The corresponding command is `ip -4 rule`.
public struct RoutingRule: Hashable, Sendable {
  /// The order of asking, lowest first; 0 to 32767.
  ///
  /// The kernel's own are 0, 32766 and 32767.
  public var priority: UInt32
  /// The table to look into; 0 where packets vanish.
  public var table: UInt32
  /// Whether packets vanish instead.
  public var isBlackhole = false
  /// The packet's source; nil for any.
  public var source: IPv4Prefix?
  /// The packet's destination; nil for any.
  public var destination: IPv4Prefix?
  /// The device the packet came in by; nil for any, "lo" for packets of local programs.
  public var incoming: String?
  /// The packet's mark; 0 for any.
  public var mark: UInt32
  /// Who made it.
  public var origin: RouteProtocol

  /// Describes a rule.
  public init(
    priority: UInt32, table: UInt32, source: IPv4Prefix? = nil, destination: IPv4Prefix? = nil,
    incoming: String? = nil, mark: UInt32 = 0, origin: RouteProtocol = .ananta
  ) {
    self.priority = priority
    self.table = table
    self.source = source
    self.destination = destination
    self.incoming = incoming
    self.mark = mark
    self.origin = origin
  }

  /// A rule by which packets vanish that came in by a device.
  public static func blackhole(
    priority: UInt32, destination: IPv4Prefix, incoming: String, origin: RouteProtocol = .ananta
  ) -> RoutingRule {
    var rule = RoutingRule(
      priority: priority, table: 0, destination: destination, incoming: incoming, origin: origin)
    rule.isBlackhole = true
    return rule
  }
}

extension Netlink {
  /// Adds a rule, unless the same is there.
  ///
  /// The corresponding command is `ip rule add pref PRIORITY … table TABLE`.
  public borrowing func addRule(_ rule: RoutingRule) throws(PlatformError) {
    try unsafe withRule(rule) { (object) throws(PlatformError) in
      let code = unsafe rtnl_rule_add(socket, object, NLM_F_CREATE | NLM_F_EXCL)
      try check(code, "add", "rule \(rule)", passing: EEXIST)
    }
  }

  /// Removes a rule, if it is there.
  ///
  /// The corresponding command is `ip rule del pref PRIORITY … table TABLE`.
  public borrowing func removeRule(_ rule: RoutingRule) throws(PlatformError) {
    try unsafe withRule(rule) { (object) throws(PlatformError) in
      try check(unsafe rtnl_rule_delete(socket, object, 0), "remove", "rule \(rule)", passing: ENOENT)
    }
  }

  /// The IPv4 rules, by priority, perhaps of one maker only.
  ///
  /// The corresponding command is `ip -4 rule`.
  public borrowing func rules(origin: RouteProtocol? = nil) throws(PlatformError) -> [RoutingRule] {
    var pointer: OpaquePointer?
    try check(unsafe rtnl_rule_alloc_cache(socket, AF_INET, &pointer), "list", "rules")
    guard let pointer = unsafe pointer else { return [] }
    let cache = unsafe NetlinkCache(owning: pointer)
    let found: [RoutingRule] = unsafe cache.compactMap { object in
      guard let rule = unsafe Self.describe(object) else { return nil }
      return origin == nil || origin == rule.origin ? rule : nil
    }
    return found.sorted { $0.priority < $1.priority }
  }

  /// Removes every IPv4 rule of one maker; how many there were.
  @discardableResult public borrowing func removeRules(origin: RouteProtocol) throws(PlatformError) -> Int {
    let found = try rules(origin: origin)
    for rule in found { try removeRule(rule) }
    return found.count
  }

  private static func describe(_ object: OpaquePointer) -> RoutingRule? {
    guard unsafe rtnl_rule_get_family(object) == AF_INET else { return nil }
    var origin: UInt8 = 0
    _ = unsafe rtnl_rule_get_protocol(object, &origin)
    let source = unsafe rtnl_rule_get_src(object)
    let destination = unsafe rtnl_rule_get_dst(object)
    let incoming = unsafe rtnl_rule_get_iif(object)
    var rule = unsafe RoutingRule(
      priority: rtnl_rule_get_prio(object), table: rtnl_rule_get_table(object),
      source: source.flatMap { unsafe NetlinkAddress.prefix($0) },
      destination: destination.flatMap { unsafe NetlinkAddress.prefix($0) },
      incoming: incoming.map { unsafe String(cString: $0) }, mark: rtnl_rule_get_mark(object),
      origin: RouteProtocol(rawValue: origin))
    rule.isBlackhole = unsafe rtnl_rule_get_action(object) == UInt8(FR_ACT_BLACKHOLE)
    return rule
  }

  private borrowing func withRule(
    _ rule: RoutingRule, _ body: (OpaquePointer) throws(PlatformError) -> Void
  ) throws(PlatformError) {
    guard let object = unsafe rtnl_rule_alloc() else { preconditionFailure("memory for a rule") }
    defer { unsafe rtnl_rule_put(object) }
    unsafe rtnl_rule_set_family(object, AF_INET)
    unsafe rtnl_rule_set_action(object, UInt8(rule.isBlackhole ? FR_ACT_BLACKHOLE : FR_ACT_TO_TBL))
    unsafe rtnl_rule_set_prio(object, rule.priority)
    unsafe rtnl_rule_set_table(object, rule.table)
    unsafe rtnl_rule_set_protocol(object, rule.origin.rawValue)
    if let source = rule.source {
      let prefix = NetlinkAddress(source)
      try check(unsafe rtnl_rule_set_src(object, prefix.pointer), "use", "rule \(rule)")
    }
    if let destination = rule.destination {
      let prefix = NetlinkAddress(destination)
      try check(unsafe rtnl_rule_set_dst(object, prefix.pointer), "use", "rule \(rule)")
    }
    if let incoming = rule.incoming {
      try check(unsafe rtnl_rule_set_iif(object, incoming), "use", "rule \(rule)")
    }
    if rule.mark != 0 { unsafe rtnl_rule_set_mark(object, rule.mark) }
    try unsafe body(object)
  }
}

extension RoutingRule: CustomStringConvertible {
  /// The words of `ip rule`.
  public var description: String {
    var words = "pref \(priority) from \(source?.description ?? "all")"
    if let destination { words += " to \(destination)" }
    if let incoming { words += " iif \(incoming)" }
    if mark != 0 { words += " fwmark \(mark)" }
    return words + (isBlackhole ? " blackhole" : " lookup \(table)") + " proto \(origin.rawValue)"
  }
}
