import Platform
import Testing
import Wire

@Suite(.enabled(if: isRoot, "needs root")) struct NetlinkRouteTests {
  private let everything = IPv4Prefix(.any, length: 0)
  private let vips = IPv4Prefix(IPv4Address(203, 0, 113, 0), length: 24)
  private let locators = IPv4Prefix(IPv4Address(10, 64, 0, 0), length: 16)
  private let router = IPv4Address(10, 8, 0, 254)

  /// A namespace with a device that has 10.8.0.1/24.
  private static func prepare() throws -> TestNamespace {
    let test = try TestNamespace()
    try Command.change(in: test.name, "link", "add", "br0", "type", "bridge")
    let netlink = try Netlink.open(in: test.namespace)
    try netlink.addAddress(IPv4Address(10, 8, 0, 1), prefixLength: 24, link: "br0")
    try netlink.setUp(true, link: "br0")
    return test
  }

  @Test func routesAreAsIPShowsThem() throws {
    let test = try Self.prepare()
    let netlink = try Netlink.open(in: test.namespace)
    try netlink.replaceRoute(Route(to: everything, via: router))
    try netlink.replaceRoute(Route(to: vips, device: "br0", metric: 7))
    try netlink.replaceRoute(.blackhole(locators, table: 200))

    let main = try Command.ip(in: test.name, "-4", "route", "show", "proto", "165")
    #expect(main.compactMap { $0["dst"] as? String } == ["default", "203.0.113.0/24"])
    #expect(main.first?["gateway"] as? String == "10.8.0.254")
    #expect(main.compactMap { $0["dev"] as? String } == ["br0", "br0"])
    #expect(main.last?["metric"] as? Int == 7)
    #expect(main.last?["scope"] as? String == "link")
    let other = try #require(try Command.ip(in: test.name, "-4", "route", "show", "table", "200").first)
    #expect(other["type"] as? String == "blackhole")
    #expect(other["dst"] as? String == "10.64.0.0/16")

    let ours = try netlink.routes(origin: .ananta)
    #expect(
      Set(ours) == [
        Route(to: everything, via: router, device: "br0"), Route(to: vips, device: "br0", metric: 7),
        .blackhole(locators, table: 200),
      ])
  }

  @Test func replacingChangesOneRoute() throws {
    let test = try Self.prepare()
    let netlink = try Netlink.open(in: test.namespace)
    let old = Route(to: vips, via: router)
    let new = Route(to: vips, via: IPv4Address(10, 8, 0, 253))
    try netlink.replaceRoute(old)
    try netlink.replaceRoute(new)
    #expect(try netlink.routes(origin: .ananta).map(\.gateway) == [new.gateway])
    do throws(PlatformError) {
      try netlink.addRoute(new)
      Issue.record("the route is there")
    } catch {
      #expect(error.reason == .exists)
    }
    for _ in 0..<2 { try netlink.removeRoute(new) }
    #expect(try netlink.routes(origin: .ananta) == [])
  }

  @Test func onlyOurRoutesAreRemoved() throws {
    let test = try Self.prepare()
    try Command.change(in: test.name, "route", "add", "192.0.2.0/24", "via", "10.8.0.254")
    let netlink = try Netlink.open(in: test.namespace)
    let before = try netlink.routes()
    try netlink.replaceRoute(Route(to: everything, via: router))
    try netlink.replaceRoute(.blackhole(locators))
    try netlink.replaceRoute(Route(to: vips, device: "br0", table: 100))
    #expect(try netlink.removeRoutes(origin: .ananta) == 3)
    #expect(try netlink.removeRoutes(origin: .ananta) == 0)
    #expect(try netlink.routes() == before)
  }

  @Test func aGatewayOutOfReachIsNamed() throws {
    let test = try Self.prepare()
    let netlink = try Netlink.open(in: test.namespace)
    let far = IPv4Address(192, 0, 2, 1)
    do throws(PlatformError) {
      try netlink.replaceRoute(Route(to: vips, via: far))
      Issue.record("nothing leads there")
    } catch {
      #expect(error.reason == .unreachable)
      #expect(error.errno.name == "ENETUNREACH")
      #expect("\(error)".contains("203.0.113.0/24 via 192.0.2.1"))
    }
    try netlink.replaceRoute(Route(to: vips, via: far, device: "br0", isOnLink: true))
    #expect(try netlink.routes(origin: .ananta).first?.isOnLink == true)
  }

  @Test func rulesAreAsIPShowsThem() throws {
    let test = try Self.prepare()
    let netlink = try Netlink.open(in: test.namespace)
    let rules = [
      RoutingRule(priority: 100, table: 100, destination: vips),
      RoutingRule(priority: 200, table: 300, source: locators, incoming: "br0", mark: 5),
    ]
    for rule in rules + rules { try netlink.addRule(rule) }
    #expect(try netlink.rules(origin: .ananta) == rules)

    let shown = try Command.ip(in: test.name, "-4", "rule").filter { $0["protocol"] as? String == "165" }
    #expect(shown.compactMap { $0["priority"] as? Int } == [100, 200])
    #expect(shown.compactMap { $0["table"] as? String } == ["100", "300"])
    #expect(shown.first?["dst"] as? String == "203.0.113.0")
    #expect(shown.last?["iif"] as? String == "br0")
    #expect(shown.last?["fwmark"] as? String == "0x5")

    try netlink.removeRule(rules[0])
    try netlink.removeRule(rules[0])
    #expect(try netlink.removeRules(origin: .ananta) == 1)
    #expect(try netlink.rules().map(\.priority) == [0, 32766, 32767])
  }
}
