import Glibc
import Platform
import Testing
import Wire

/// A veth pair between two namespaces: frames are written at one end and come in at the other.
struct PatchCable: ~Copyable {
  /// Where packets arrive.
  let receiver: TestNamespace
  private let sender: TestNamespace
  private let socket: PacketSocket
  private let source: [UInt8]
  /// The Ethernet address of the receiving end.
  let destination: [UInt8]

  static let device = "w1"

  /// Makes the pair, both ends up.
  static func lay() throws -> PatchCable {
    let sender = try TestNamespace()
    let receiver = try TestNamespace()
    try Command.change(
      in: sender.name, "link", "add", "w0", "type", "veth", "peer", "name", device, "netns", receiver.name)
    // Without IPv6 nothing is on the wire but what the test puts there.
    for (name, device) in [(sender.name, "w0"), (receiver.name, device)] {
      let setting = "net.ipv6.conf.\(device).disable_ipv6=1"
      try Command.lines("ip", "netns", "exec", name, "sysctl", "-qw", setting)
      try Command.change(in: name, "link", "set", device, "up")
    }
    let source = try address(of: "w0", in: sender.name)
    let destination = try address(of: device, in: receiver.name)
    let socket = try sender.namespace.run { () throws(PlatformError) in
      let link = try Netlink.open().link(named: "w0")
      return try PacketSocket.open(on: link, filter: .nothing)
    }
    return PatchCable(
      receiver: receiver, sender: sender, socket: socket, source: source, destination: destination)
  }

  /// Opens a packet socket at the receiving end.
  borrowing func open(
    _ filter: PacketFilter, queuedByteCount: Int = Limits.packetSocketBytes
  ) throws(PlatformError) -> PacketSocket {
    try receiver.namespace.run { () throws(PlatformError) in
      let link = try Netlink.open().link(named: Self.device)
      return try PacketSocket.open(on: link, filter: filter, queuedByteCount: queuedByteCount)
    }
  }

  /// Sends a frame; the payload begins behind the EtherType.
  borrowing func send(_ payload: [UInt8], to address: [UInt8]? = nil, type: [UInt8] = [0x08, 0x00]) {
    let bytes =
      [UInt8](repeating: 0, count: TUN.vnetHeaderByteCount) + (address ?? destination) + source + type
      + payload
    let count = unsafe write(socket.descriptor.raw, bytes, bytes.count)
    #expect(count == bytes.count, "sent \(count), errno \(errno)")
  }

  private static func address(of device: String, in namespace: String) throws -> [UInt8] {
    let link = try #require(try Command.ip(in: namespace, "link", "show", device).first)
    let text = try #require(link["address"] as? String)
    return text.split(separator: ":").compactMap { UInt8($0, radix: 16) }
  }
}

extension PatchCable {
  /// Lets the receiving end join segments as a network card's driver does, and hold them for 20 ms, so that
  /// it does not matter how fast they follow one another.
  ///
  /// A veth device does so only for a peer that sends no super-packets itself.
  borrowing func joinSegments() throws {
    try Command.lines("ip", "netns", "exec", sender.name, "ethtool", "-K", "w0", "tso", "off")
    try Command.lines("ip", "netns", "exec", receiver.name, "ethtool", "-K", Self.device, "gro", "on")
    let file = "/sys/class/net/\(Self.device)/gro_flush_timeout"
    try Command.lines("ip", "netns", "exec", receiver.name, "sh", "-c", "echo 20000000 > \(file)")
  }
}

extension PacketSocket {
  /// All that comes until nothing has come for a while, with its headers.
  borrowing func frames() throws -> [[UInt8]] {
    var epoll = try Epoll()
    try epoll.add(descriptor, tag: 0)
    var pool = try FramePool(count: 1)
    var found: [[UInt8]] = []
    while try epoll.wait(timeoutMilliseconds: 100) > 0 {
      guard case .bytes(let count) = pool.receive(into: 0, from: handle) else { break }
      let frame = pool[0]
      let bytes = frame.bytes
      found.append(
        (FramePool.captureOffset..<FramePool.captureOffset + count).map {
          unsafe bytes.unsafeLoad(fromByteOffset: $0, as: UInt8.self)
        })
    }
    return found
  }

  /// The same from the IPv4 header on.
  borrowing func packets() throws -> [[UInt8]] {
    let before = TUN.vnetHeaderByteCount + PacketSocket.linkHeaderByteCount
    return try frames().map { Array($0.dropFirst(before)) }
  }
}
