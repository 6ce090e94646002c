import Glibc
import Platform
import Testing
import Wire

/// A VM's end and a node's end, with packets that only a packet socket sees.
@Suite(.enabled(if: isRoot, "needs root")) struct TenantPairTests {
  private static let pair = TenantPair(
    name: "eth0", nodeName: "av0a400101", address: IPv4Address(10, 0, 0, 11), mtu: 1480)

  /// Opens it in the namespaces, up.
  private static func open(
    _ pair: TenantPair = pair, node: borrowing TestNamespace, machine: borrowing TestNamespace
  ) throws(PlatformError) -> NetworkLink {
    let name = machine.name
    return try node.namespace.run { () throws(PlatformError) in
      let link = try pair.open(in: NetworkNamespace.open(named: name))
      try pair.switchOn()
      return link
    }
  }

  @Test func itIsAsDescribed() throws {
    let node = try TestNamespace()
    let machine = try TestNamespace()
    let link = try Self.open(node: node, machine: machine)
    #expect(link.kind == "veth" && link.name == "av0a400101")
    let device = try #require(try Command.ip(in: machine.name, "link", "show", "eth0").first)
    #expect(device["address"] as? String == "02:00:00:00:00:02")
    #expect(device["mtu"] as? Int == 1480)
    #expect((device["flags"] as? [String])?.contains("NOARP") == true)
    let routes = try Command.lines("ip", "-n", machine.name, "route")
    #expect(routes.contains { $0.hasPrefix("default dev eth0") })
    let addresses = try Command.lines("ip", "-n", machine.name, "-o", "-4", "addr", "show", "eth0")
    #expect(addresses.count == 1 && addresses[0].contains("10.0.0.11/32"))
  }

  @Test func itIsTakenOver() throws {
    let node = try TestNamespace()
    let machine = try TestNamespace()
    let first = try Self.open(node: node, machine: machine)
    #expect(try Self.open(node: node, machine: machine).index == first.index)
    var other = Self.pair
    other.address = IPv4Address(10, 0, 0, 12)
    #expect(try Self.open(other, node: node, machine: machine).index == first.index)
    let addresses = try Command.lines("ip", "-n", machine.name, "-o", "-4", "addr", "show", "eth0")
    #expect(addresses.count == 1 && addresses[0].contains("10.0.0.12/32"))
  }

  @Test func itTakesTheTunnelsPlace() throws {
    let node = try TestNamespace()
    let machine = try TestNamespace()
    try Command.change(in: machine.name, "tuntap", "add", "eth0", "mode", "tun")
    let first = try Self.open(node: node, machine: machine)
    // A VM that is made anew bears the name, but its device is not there.
    let another = try TestNamespace()
    let second = try Self.open(node: node, machine: another)
    #expect(second.index != first.index)
    #expect(try Command.ip(in: machine.name, "link", "show").count == 1)
  }

  @Test func packetsGoBothWaysPastTheStack() throws {
    let node = try TestNamespace()
    let machine = try TestNamespace()
    let link = try Self.open(node: node, machine: machine)
    let socket = try node.namespace.run { () throws(PlatformError) in
      try PacketSocket.open(on: link, filter: .everything)
    }
    try Command.lines(
      "ip", "netns", "exec", machine.name, "sh", "-c", "echo hello > /dev/udp/198.51.100.10/9 || true")
    _ = try? Command.lines(
      "ip", "netns", "exec", machine.name, "ping", "-c1", "-W1", "198.51.100.10")
    let packets = try socket.packets().filter { $0.count >= 20 }
    #expect(packets.contains { Array($0[12..<20]) == [10, 0, 0, 11, 198, 51, 100, 10] })
    let counters = try Command.lines("ip", "netns", "exec", node.name, "nstat", "-az", "IpInDelivers")
    #expect(counters.contains { $0.contains("IpInDelivers") && $0.contains(" 0 ") })
    // Back in: an echo request, which the VM answers.
    var pool = try FramePool(count: 1)
    let reply = try Self.exchange(&pool, socket)
    #expect(Array(reply.dropFirst(12).prefix(9)) == [10, 0, 0, 11, 198, 51, 100, 10, 0], "an echo reply")
  }

  private static func exchange(_ pool: inout FramePool, _ socket: borrowing PacketSocket) throws -> [UInt8] {
    var message: [UInt8] = [8, 0, 0, 0, 0, 1, 0, 1]
    message.replaceSubrange(2..<4, with: [0xf7, 0xfd])
    var header: [UInt8] = [0x45, 0, 0, 28, 0, 0, 0, 0, 64, 1, 0, 0, 198, 51, 100, 10, 10, 0, 0, 11]
    let sum = TestPacket.checksum(header[...])
    header[10] = UInt8(sum >> 8)
    header[11] = UInt8(sum & 255)
    let (low, high) = TenantPair.headerToMachine
    var link: [UInt8] = []
    for shift in stride(from: UInt64(0), to: 64, by: 8) {
      link.append(UInt8(truncatingIfNeeded: low >> shift))
    }
    for shift in stride(from: UInt64(0), to: 48, by: 8) {
      link.append(UInt8(truncatingIfNeeded: high >> shift))
    }
    #expect(link == TenantPair.machineAddress + [0x02, 0, 0, 0, 0, 0x01, 0x08, 0x00])
    let bytes = [UInt8](repeating: 0, count: TUN.vnetHeaderByteCount) + link + header + message
    var frame = pool[0]
    for (place, byte) in bytes.enumerated() {
      frame.storeBytes(of: byte, toByteOffset: place, as: UInt8.self)
    }
    let outcome = pool.transmit(0, 0..<bytes.count, to: socket.handle)
    guard case .bytes(bytes.count) = outcome else {
      Issue.record("\(outcome)")
      return []
    }
    return try socket.packets().first { $0.count > 20 && $0[9] == 1 && $0[20] == 0 } ?? []
  }
}
