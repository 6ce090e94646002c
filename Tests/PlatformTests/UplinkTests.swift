import Platform
import Testing
import Wire

/// Which devices are taken for a node's uplinks, and how the stack is kept from what comes by them.
@Suite(.enabled(if: isRoot, "needs root")) struct UplinkTests {
  private let address = IPv4Address(10, 1, 11, 2)

  /// Two Ethernet devices `e0`, `e1` that are up, and `lo`.
  private static func prepare() throws -> TestNamespace {
    let test = try TestNamespace()
    try Command.change(in: test.name, "link", "set", "lo", "up")
    for number in 0..<2 {
      let device = "e\(number)"
      try Command.change(
        in: test.name, "link", "add", device, "type", "veth", "peer", "name", "peer\(number)")
      for name in [device, "peer\(number)"] { try Command.change(in: test.name, "link", "set", name, "up") }
    }
    return test
  }

  @Test func theDeviceThatHoldsTheAddress() throws {
    let test = try Self.prepare()
    try Command.change(in: test.name, "address", "add", "10.1.11.2/24", "dev", "e1")
    try Command.change(in: test.name, "route", "add", "default", "dev", "e0")
    let netlink = try Netlink.open(in: test.namespace)
    #expect(try netlink.uplinks(of: address).map(\.name) == ["e1"])
    #expect(try netlink.uplinks(of: IPv4Address(10, 1, 11, 9)).map(\.name) == ["e0"])
  }

  @Test func allNextHopsWhereTheLoopbackDeviceHoldsTheAddress() throws {
    let test = try Self.prepare()
    try Command.change(in: test.name, "address", "add", "10.1.11.2/32", "dev", "lo")
    let netlink = try Netlink.open(in: test.namespace)
    #expect(try netlink.uplinks(of: address) == [])
    try Command.change(
      in: test.name, "route", "add", "default", "nexthop", "dev", "e0", "nexthop", "dev", "e1")
    try Command.change(in: test.name, "route", "add", "default", "dev", "peer0", "table", "77")
    #expect(try netlink.uplinks(of: address).map(\.name) == ["e0", "e1"])
  }

  @Test func aRuleMakesPacketsOfOneDeviceVanish() throws {
    let test = try Self.prepare()
    try Command.lines("ip", "netns", "exec", test.name, "sysctl", "-qw", "net.ipv4.ip_forward=1")
    let locators = IPv4Prefix(IPv4Address(10, 64, 1, 0), length: 24)
    let netlink = try Netlink.open(in: test.namespace)
    try netlink.addAddress(IPv4Address(192, 0, 2, 1), prefixLength: 24, link: "e1")
    try netlink.replaceRoute(Route(to: locators, device: "e1"))
    #expect(try Self.way(in: test.name, from: "e0").contains("dev e1"))
    let rule = RoutingRule.blackhole(priority: 16, destination: locators, incoming: "e0")
    for _ in 0..<2 { try netlink.addRule(rule) }
    #expect(try netlink.rules(origin: .ananta) == [rule])
    let shown = try #require(
      try Command.ip(in: test.name, "-4", "rule").first { $0["protocol"] as? String == "165" })
    #expect(shown["iif"] as? String == "e0")
    #expect(shown["dst"] as? String == "10.64.1.0")
    #expect(shown["action"] as? String == "blackhole")

    #expect(throws: Command.Failure.self) { try Self.way(in: test.name, from: "e0") }
    #expect(try Self.way(in: test.name, from: "peer0").contains("dev e1"))
    try netlink.removeRule(rule)
    #expect(try netlink.rules(origin: .ananta) == [])
    #expect(try Self.way(in: test.name, from: "e0").contains("dev e1"))
  }

  /// Where the kernel would route a packet for a locator that came in by a device.
  @discardableResult private static func way(in namespace: String, from device: String) throws -> String {
    let answer = try Command.lines(
      "ip", "-n", namespace, "route", "get", "10.64.1.7", "from", "203.0.113.9", "iif", device)
    return answer.joined(separator: " ")
  }
}
