import Glibc
import Platform
import Testing
import Wire

@Suite(.enabled(if: isRoot, "needs root")) struct TUNTests {
  @Test func tenantDeviceHasAddressMTUAndRoutes() throws {
    let test = try TestNamespace()
    let device = try TenantDevice(address: IPv4Address(10, 9, 0, 1), mtu: 1480).open(in: test.namespace)
    let facts = device.facts
    #expect(facts.name == "eth0")
    #expect(!facts.wasPresent)
    #expect(facts.offloads.isSuperset(of: [.checksum, .tcp4]))

    let link = try #require(try Command.ip(in: test.name, "link", "show", "eth0").first)
    #expect(link["mtu"] as? Int == 1480)
    #expect(link["ifindex"] as? Int == Int(facts.index))
    #expect((link["flags"] as? [String])?.contains("UP") == true)
    #expect((link["linkinfo"] as? [String: Any])?["info_kind"] as? String == "tun")

    let addresses = try Command.ip(in: test.name, "-4", "addr", "show", "eth0")
    let info = try #require((addresses.first?["addr_info"] as? [[String: Any]])?.first)
    #expect(info["local"] as? String == "10.9.0.1")
    #expect(info["prefixlen"] as? Int == 32)

    let route = try #require(try Command.ip(in: test.name, "route", "show", "default").first)
    #expect(route["dev"] as? String == "eth0")
    #expect(route["protocol"] as? String == "165")
    let loopback = try #require(try Command.ip(in: test.name, "link", "show", "lo").first)
    #expect((loopback["flags"] as? [String])?.contains("UP") == true)
  }

  @Test func openingAgainCorrectsWhatWasChanged() throws {
    let test = try TestNamespace()
    do {
      _ = try TenantDevice(address: IPv4Address(10, 9, 0, 1), mtu: 1480).open(in: test.namespace)
    }
    try Command.change(in: test.name, "link", "set", "eth0", "mtu", "9000")
    try Command.change(in: test.name, "addr", "add", "10.9.0.77/24", "dev", "eth0")
    let again = try TenantDevice(address: IPv4Address(10, 9, 0, 2), mtu: 1460).open(in: test.namespace)
    let facts = again.facts
    #expect(facts.wasPresent)
    let netlink = try Netlink.open(in: test.namespace)
    #expect(try netlink.link(named: "eth0").mtu == 1460)
    #expect(try netlink.addresses(link: "eth0").map(\.address) == [IPv4Address(10, 9, 0, 2)])
  }

  @Test(arguments: [1, 2]) func persistentDeviceSurvivesAndIsAttachedAgain(queues: Int) throws {
    let test = try TestNamespace()
    var index: Int32 = 0
    do {
      let first = try TUN.open("vm0", queues: queues, persistent: true, in: test.namespace)
      let facts = first.facts
      #expect(!facts.wasPresent)
      index = facts.index
    }
    let netlink = try Netlink.open(in: test.namespace)
    #expect(try netlink.link(named: "vm0").index == index)
    do {
      var second = try TUN.open("vm0", queues: queues, in: test.namespace)
      let facts = second.facts
      #expect(facts.wasPresent)
      #expect(facts.index == index)
      #expect(facts.queueCount == queues)
      let queue = try second.queue()
      let left = second.facts.queueCount
      let name = queue.interfaceName
      #expect(left == queues - 1)
      #expect(name == "vm0")
      try queue.setPersistent(false)
    }
    #expect { try netlink.link(named: "vm0") } throws: { ($0 as? PlatformError)?.reason == .deviceMissing }
  }

  @Test func oneQueueAttachesToADeviceWithSeveral() throws {
    let test = try TestNamespace()
    do { _ = try TUN.open("vm0", queues: 2, persistent: true, in: test.namespace) }
    let again = try TUN.open("vm0", queues: 1, in: test.namespace)
    let facts = again.facts
    #expect(facts.wasPresent)
    try again.setPersistent(false)
  }

  @Test func aDeviceThatSomebodyHoldsIsTaken() throws {
    let test = try TestNamespace()
    let held = try TUN.open("vm0", in: test.namespace)
    #expect(throws: PlatformError.self) { try Self.open("vm0", in: test.name) }
    let error = try #require(throws: PlatformError.self) { try Self.open("vm0", in: test.name) }
    #expect(error.reason == .deviceTaken)
    #expect(error.errno.name == "EBUSY")
    let left = held.facts.queueCount
    #expect(left == 1)
  }

  @Test func aNameOfAnotherKindOfDeviceIsTaken() throws {
    let test = try TestNamespace()
    try Command.change(in: test.name, "link", "add", "vm0", "type", "bridge")
    let error = try #require(throws: PlatformError.self) { try Self.open("vm0", in: test.name) }
    #expect(error.reason == .deviceTaken)
    #expect("\(error)".contains("vm0"))
  }

  @Test(arguments: ["", "sixteen-bytes-xx", "a/b", "a b", "tun%d", ".."])
  func aNameThatNoDeviceCanHaveIsInvalid(name: String) throws {
    let error = try #require(throws: PlatformError.self) { _ = try TUN.open(name) }
    #expect(error.reason == .invalid)
  }

  @Test(arguments: [0, 257]) func numbersOfQueuesThatNoDeviceHasAreInvalid(queues: Int) throws {
    let error = try #require(throws: PlatformError.self) { _ = try TUN.open("vm0", queues: queues) }
    #expect(error.reason == .invalid)
  }

  @Test func offloadsReadAsText() {
    #expect("\(TUNOffloads([.checksum, .tcp4]))" == "checksum+tso4")
    #expect("\(TUNOffloads())" == "none")
    #expect("\(TUNOffloads.all)" == "checksum+tso4+tso6+ecn+uso")
  }

  /// In a function of its own, since a namespace cannot be captured by a closure of #require.
  private static func open(_ name: String, in namespace: String) throws {
    _ = try TUN.open(name, in: try NetworkNamespace.open(named: namespace))
  }
}
