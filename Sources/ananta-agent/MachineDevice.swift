internal import Control
internal import Foundation
internal import Platform
internal import Wire

/// A VM's device: a TUN opened inside its namespace, or a veth pair read at the node's end; closed when
/// nobody holds it any more.
final class MachineDevice: Sendable {
  private enum Way: Sendable {
    case tun(Tunnel)
    case pair(Reader, TenantPair)
  }

  private final class Tunnel: Sendable {
    let queue: TUNQueue
    init(_ queue: consuming TUNQueue) { self.queue = queue }
  }

  private final class Reader: Sendable {
    let socket: PacketSocket
    init(_ socket: consuming PacketSocket) { self.socket = socket }
  }

  let machine: HostMachine
  /// Where packets are read and written.
  let port: PacketPort
  /// The node's end of the pair, by its number; nil: it is a TUN device.
  let nodeEnd: Int32?
  private let way: Way
  /// Tells the namespace from a later one of the same name.
  private let namespace: UInt64?

  /// Creates the device, or attaches to the one that an earlier process left, so that the VM notices nothing.
  ///
  /// A pair needs the kernel's programs, which keep the VM's packets from the node's stack; without them the
  /// VM gets a TUN.
  init(_ machine: HostMachine, mtu: Int, _ forwarding: HostForwarding?) throws(PlatformError) {
    switch machine.attachment {
    case .networkNamespace(let name, let device, let kind):
      let namespace = try NetworkNamespace.open(named: name)
      if kind == .veth, let forwarding {
        let pair = TenantPair(
          name: device, nodeName: Self.nodeName(machine.locator), address: machine.dip, mtu: UInt32(mtu))
        let link = try pair.open(in: namespace)
        try forwarding.attach(toMachine: link.index)
        let socket = try PacketSocket.open(
          on: link, filter: .everything, queuedByteCount: Self.queuedByteCount)
        try pair.switchOn()
        port = .pair(socket.handle)
        nodeEnd = link.index
        way = .pair(Reader(socket), pair)
      } else {
        let queue = try Self.tun(machine, device, mtu: mtu, in: namespace)
        port = .tun(queue.handle)
        nodeEnd = nil
        way = .tun(Tunnel(queue))
      }
    }
    self.machine = machine
    namespace = Self.identity(of: machine.attachment)
  }

  /// Bytes that may wait for the worker: first packets of flows, and what is not TCP or UDP.
  private static let queuedByteCount = 8 << 20

  private static func tun(
    _ machine: HostMachine, _ name: String, mtu: Int, in namespace: borrowing NetworkNamespace
  ) throws(PlatformError) -> TUNQueue {
    // A pair of an earlier kind; the device would bear its name.
    try TenantPair(name: name, nodeName: nodeName(machine.locator), address: machine.dip, mtu: UInt32(mtu))
      .remove()
    let wanted = TenantDevice(name: name, address: machine.dip, mtu: UInt32(mtu))
    var tun = try wanted.open(in: namespace)
    guard let queue = tun.takeQueue() else { preconditionFailure("a new device has its queue") }
    return queue
  }

  /// `av` and the locator in hexadecimal digits: no two VMs of a host have the same.
  private static func nodeName(_ locator: IPv4Address) -> String {
    "av" + String(UInt64(1) << 32 | UInt64(locator.number), radix: 16).dropFirst()
  }

  /// Whether a worker can wait for its packets: adds them to its epoll.
  func watch(in epoll: inout Epoll, tag: UInt64) {
    switch way {
    case .tun(let tunnel): try? epoll.add(tunnel.queue.descriptor, tag: tag)
    case .pair(let reader, _): try? epoll.add(reader.socket.descriptor, tag: tag)
    }
  }

  /// No longer waits for its packets.
  func unwatch(in epoll: inout Epoll) {
    switch way {
    case .tun(let tunnel): try? epoll.remove(tunnel.queue.descriptor)
    case .pair(let reader, _): try? epoll.remove(reader.socket.descriptor)
    }
  }

  /// Whether the namespace it was opened in no longer bears the name, or the node's end of the pair has gone.
  var isStray: Bool {
    if let nodeEnd, (try? Netlink.open().link(index: nodeEnd)) == nil { return true }
    return Self.identity(of: machine.attachment) != namespace
  }

  /// The inode of the namespace that bears the name now; the corresponding command is `stat -L`.
  private static func identity(of attachment: Attachment) -> UInt64? {
    switch attachment {
    case .networkNamespace(let name, _, _):
      let path = "\(NetworkNamespace.directory)/\(name)"
      let attributes = try? FileManager.default.attributesOfItem(atPath: path)
      return (attributes?[.systemFileNumber] as? NSNumber)?.uint64Value
    }
  }

  /// Lets the device end with this object, since the VM is no longer here.
  func abandon() {
    switch way {
    case .tun(let tunnel): try? tunnel.queue.setPersistent(false)
    case .pair(_, let pair): try? pair.remove()
    }
  }
}
