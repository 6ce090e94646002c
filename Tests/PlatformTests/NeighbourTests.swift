import Glibc
import Platform
import Testing
import Wire

@Suite(.enabled(if: isRoot, "needs root")) struct NeighbourTests {
  private let address = IPv4Address(10, 8, 0, 254)

  private func state(in test: borrowing TestNamespace) throws -> String {
    let shown = try Command.ip(in: test.name, "neigh", "show", "to", "10.8.0.254", "dev", "w0").first
    return (shown?["state"] as? [String])?.first ?? "none"
  }

  /// A pair whose other end has the address, and a neighbour that was not used for long.
  private func prepare(_ test: borrowing TestNamespace, _ peer: borrowing TestNamespace) throws {
    try Command.change(
      in: test.name, "link", "add", "w0", "type", "veth", "peer", "name", "w1", "address",
      "02:00:00:00:00:fe",
      "netns", peer.name)
    for (name, device, address) in [(test.name, "w0", "10.8.0.1/24"), (peer.name, "w1", "10.8.0.254/24")] {
      try Command.change(in: name, "addr", "add", address, "dev", device)
      try Command.change(in: name, "link", "set", device, "up")
    }
    let setting = "net.ipv4.neigh.w0.delay_first_probe_time=0"
    try Command.lines("ip", "netns", "exec", test.name, "sysctl", "-qw", setting)
    try Command.change(
      in: test.name, "neigh", "replace", "10.8.0.254", "lladdr", "02:00:00:00:00:fe", "dev", "w0", "nud",
      "stale")
  }

  @Test func aStaleNeighbourIsAskedWhenItIsUsed() throws {
    let test = try TestNamespace()
    let peer = try TestNamespace()
    try prepare(test, peer)
    let netlink = try Netlink.open(in: test.namespace)
    let stale = try #require(try netlink.neighbours().first { $0.address == address })
    #expect(stale.isStale)
    #expect(stale.linkAddress == [2, 0, 0, 0, 0, 0xfe])
    #expect(try netlink.link(index: stale.interfaceIndex).name == "w0")
    #expect(try state(in: test) == "STALE")
    try netlink.use(stale)
    #expect(try netlink.neighbours().first { $0.address == address }?.isStale == false)
    for _ in 0..<500 where try state(in: test) != "REACHABLE" { usleep(10_000) }
    #expect(try state(in: test) == "REACHABLE")
  }

  @Test func oneThatIsUnknownIsNoError() throws {
    let test = try TestNamespace()
    let peer = try TestNamespace()
    try prepare(test, peer)
    let netlink = try Netlink.open(in: test.namespace)
    let stale = try #require(try netlink.neighbours().first { $0.address == address })
    try Command.change(in: test.name, "neigh", "del", "10.8.0.254", "dev", "w0")
    try netlink.use(stale)
    #expect(try netlink.neighbours().contains { $0.address == address } == false)
  }

  @Test func aDeviceHasItsLinkAddress() throws {
    let test = try TestNamespace()
    let peer = try TestNamespace()
    try prepare(test, peer)
    let link = try Netlink.open(in: peer.namespace).link(named: "w1")
    #expect(link.address == [2, 0, 0, 0, 0, 0xfe])
  }
}
