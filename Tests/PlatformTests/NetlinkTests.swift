import Foundation
import Glibc
import Platform
import Testing
import Wire

/// Every netlink object is compared with what `ip` says of it.
@Suite(.enabled(if: isRoot, "needs root")) struct NetlinkTests {
  private let inside = IPv4Address(10, 8, 0, 1)

  @Test func linksAreAsIPShowsThem() throws {
    let test = try TestNamespace()
    try Command.change(in: test.name, "link", "add", "br0", "type", "bridge")
    let netlink = try Netlink.open(in: test.namespace)
    let links = try netlink.links()
    let shown = try Command.ip(in: test.name, "link")
    #expect(links.map(\.name) == shown.compactMap { $0["ifname"] as? String })
    #expect(links.map { Int($0.index) } == shown.compactMap { $0["ifindex"] as? Int })
    #expect(links.map { Int($0.mtu) } == shown.compactMap { $0["mtu"] as? Int })
    let bridge = try netlink.link(named: "br0")
    #expect(bridge.kind == "bridge")
    #expect(!bridge.isUp)
    #expect(try netlink.link(index: bridge.index) == bridge)
  }

  @Test func linksChange() throws {
    let test = try TestNamespace()
    try Command.change(in: test.name, "link", "add", "br0", "type", "bridge")
    let netlink = try Netlink.open(in: test.namespace)
    try netlink.setMTU(1444, link: "br0")
    try netlink.setUp(true, link: "br0")
    var shown = try #require(try Command.ip(in: test.name, "link", "show", "br0").first)
    #expect(shown["mtu"] as? Int == 1444)
    #expect((shown["flags"] as? [String])?.contains("UP") == true)
    try netlink.setUp(false, link: "br0")
    shown = try #require(try Command.ip(in: test.name, "link", "show", "br0").first)
    #expect((shown["flags"] as? [String])?.contains("UP") == false)
    try netlink.deleteLink(named: "br0")
    try netlink.deleteLink(named: "br0")
    #expect(try netlink.links().map(\.name) == ["lo"])
  }

  @Test func addressesComeOnceAndGoOnce() throws {
    let test = try TestNamespace()
    let netlink = try Netlink.open(in: test.namespace)
    for _ in 0..<2 { try netlink.addAddress(inside, prefixLength: 24, link: "lo") }
    let shown = try #require(try Command.ip(in: test.name, "-4", "addr", "show", "lo").first)
    let info = try #require(shown["addr_info"] as? [[String: Any]])
    #expect(info.compactMap { $0["local"] as? String } == ["10.8.0.1"])
    #expect(info.compactMap { $0["prefixlen"] as? Int } == [24])
    let expected = InterfaceAddress(interfaceIndex: 1, address: inside, prefixLength: 24)
    #expect(try netlink.addresses(link: "lo") == [expected])
    for _ in 0..<2 { try netlink.removeAddress(inside, prefixLength: 24, link: "lo") }
    #expect(try netlink.addresses() == [])
  }

  @Test func aTunnelIsMadeOrTheKernelsLackIsNamed() throws {
    let test = try TestNamespace()
    let netlink = try Netlink.open(in: test.namespace)
    let tunnel = IPIPTunnel(name: "tun-a", local: inside, remote: IPv4Address(10, 8, 0, 2))
    let hasModule = (try? Command.change(in: test.name, "link", "add", "x", "type", "ipip")) != nil
    do throws(PlatformError) {
      try netlink.createTunnel(tunnel)
      #expect(hasModule)
      #expect(try netlink.link(named: "tun-a").kind == "ipip")
      try netlink.deleteTunnel(named: "tun-a")
    } catch {
      #expect(!hasModule)
      #expect(error.reason == .unsupported)
      #expect("\(error)".contains("IPIP tunnel tun-a in namespace \(test.name)"))
    }
  }

  @Test func aMissingDeviceIsNamed() throws {
    let test = try TestNamespace()
    let netlink = try Netlink.open(in: test.namespace)
    do throws(PlatformError) {
      try netlink.setUp(true, link: "nothing0")
      Issue.record("there is no such device")
    } catch {
      #expect(error.reason == .deviceMissing)
      #expect(error.errno.name == "ENODEV")
      #expect("\(error)".contains("device nothing0 in namespace \(test.name)"))
    }
  }

  /// In a process of its own, since other tests open and close descriptors meanwhile.
  @Test func manySocketsAndDevicesLeaveNoDescriptorBehind() async {
    await #expect(processExitsWith: .success) {
      let test = try TestNamespace()
      // Warm, so that what the libraries keep open for themselves is open already.
      _ = try Netlink.open(in: test.namespace).links()
      let before = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
      for _ in 0..<100 {
        let netlink = try Netlink.open(in: test.namespace)
        _ = try netlink.links()
        _ = try TUN.open("vm0", queues: 2, in: test.namespace)
        _ = try? TUN.open("lo", in: test.namespace)
      }
      let after = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
      #expect(after == before)
    }
  }
}
