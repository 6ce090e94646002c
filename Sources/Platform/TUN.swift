internal import CLinux
internal import Glibc

/// A TUN device: IP packets without Ethernet, each with a virtio-net header before it.
///
/// Opened with IFF_TUN, IFF_NO_PI, IFF_VNET_HDR, and IFF_MULTI_QUEUE when more than one queue is wanted. A
/// device lives as long as one of its queues, unless it is persistent; then its namespace, addresses and
/// routes survive the agent, and opening the same name attaches to it again.
public struct TUN: ~Copyable, Sendable {
  /// Bytes of the virtio-net header before every packet (struct virtio_net_hdr).
  @inline(always) public static var vnetHeaderByteCount: Int { 10 }
  /// The kernel's door to TUN devices.
  public static let path = "/dev/net/tun"

  /// The device's name in its namespace.
  public let name: String
  /// The device's index in its namespace.
  public let index: Int32
  /// What the kernel agreed to leave to us.
  public let offloads: TUNOffloads
  /// Whether the device was there before, and was only attached to.
  public let wasPresent: Bool
  private var queues: [CInt]

  /// Creates the device, or attaches to it, in the calling thread's namespace.
  ///
  /// `queues` is 1 to 256. A persistent device stays when this process ends; without the wish it is left as
  /// it is. The corresponding command is `ip tuntap add NAME mode tun vnet_hdr`.
  public static func open(
    _ name: String, queues: Int = 1, persistent: Bool = false
  ) throws(PlatformError) -> TUN {
    let label = "\(name), \(queues) queue\(queues == 1 ? "" : "s")"
    guard isName(name) else {
      throw PlatformError(
        "open TUN device", label, Errno(rawValue: EINVAL), reason: .invalid,
        advice: "A device name has 1 to 15 bytes, without spaces, slashes, colons and percent signs.")
    }
    guard (1...Limits.tunQueues).contains(queues) else {
      throw PlatformError(
        "open TUN device", label, Errno(rawValue: E2BIG), reason: .invalid,
        advice: "A TUN device has 1 to \(Limits.tunQueues) queues.")
    }
    let wasPresent = unsafe if_nametoindex(name) != 0
    var opened: [CInt] = []
    do throws(PlatformError) {
      var isMulti = queues > 1
      for _ in 0..<queues { opened.append(try attach(name, &isMulti, label, wasPresent)) }
      return try adopt(opened, name, wasPresent, persistent)
    } catch {
      for queue in opened { _ = Glibc.close(queue) }
      throw error
    }
  }

  /// Creates the device, or attaches to it, inside a namespace; its queues are used from the caller's.
  public static func open(
    _ name: String, queues: Int = 1, persistent: Bool = false, in namespace: borrowing NetworkNamespace
  ) throws(PlatformError) -> TUN {
    try namespace.run { () throws(PlatformError) in
      try open(name, queues: queues, persistent: persistent)
    }
  }

  /// Sets all queues up; they stay the caller's to close when that fails.
  private static func adopt(
    _ opened: [CInt], _ name: String, _ wasPresent: Bool, _ persistent: Bool
  ) throws(PlatformError) -> TUN {
    var granted: TUNOffloads = []
    for queue in opened { granted = try configure(queue, name) }
    if persistent, clinux_ioctl_int(opened[0], CLinux.CTUN_SET_PERSIST, 1) != 0 {
      throw PlatformError("make persistent the TUN device", name, .current)
    }
    let index = Int32(unsafe if_nametoindex(name))
    return TUN(name: name, index: index, offloads: granted, wasPresent: wasPresent, queues: opened)
  }

  deinit { for queue in queues { _ = Glibc.close(queue) } }

  /// How many queues nobody has taken yet.
  public var queueCount: Int { queues.count }

  /// Hands out a queue, in the order the kernel numbers them; nil when all are taken.
  public mutating func takeQueue() -> TUNQueue? {
    guard !queues.isEmpty else { return nil }
    return TUNQueue(
      descriptor: FileDescriptor(owning: queues.removeFirst()), interfaceName: name, interfaceIndex: index)
  }

  private static func isName(_ name: String) -> Bool {
    let refused = " \t\n/:%".utf8
    return !name.isEmpty && name.utf8.count <= Limits.interfaceNameBytes && name != "." && name != ".."
      && !name.utf8.contains { refused.contains($0) || $0 == 0 }
  }

  /// Opens one more queue.
  ///
  /// A device that exists dictates whether it has several, so one queue is asked for both ways.
  private static func attach(
    _ name: String, _ isMulti: inout Bool, _ label: String, _ wasPresent: Bool
  ) throws(PlatformError) -> CInt {
    let raw = unsafe Glibc.open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC)
    guard raw >= 0 else {
      let error = Errno.current
      let isMissing = [ENOENT, ENXIO, ENODEV].contains(error.rawValue)
      throw PlatformError("open", path, error, reason: isMissing ? .tunMissing : nil)
    }
    if setInterface(raw, name, isMulti: isMulti) { return raw }
    var error = Errno.current
    if error.rawValue == EINVAL, wasPresent, !isMulti {
      if setInterface(raw, name, isMulti: true) {
        isMulti = true
        return raw
      }
      error = Errno.current
    }
    _ = Glibc.close(raw)
    let isTaken = error.rawValue == EBUSY || wasPresent && error.rawValue == EINVAL
    throw PlatformError("open TUN device", label, error, reason: isTaken ? .deviceTaken : nil)
  }

  private static func setInterface(_ raw: CInt, _ name: String, isMulti: Bool) -> Bool {
    let flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR | (isMulti ? IFF_MULTI_QUEUE : 0)
    return unsafe clinux_tun_attach(raw, name, CShort(flags)) == 0
  }

  private static func configure(_ queue: CInt, _ name: String) throws(PlatformError) -> TUNOffloads {
    var size = CInt(vnetHeaderByteCount)
    guard unsafe ioctl(queue, CLinux.CTUN_SET_VNET_HDR_SIZE, &size) == 0 else {
      throw PlatformError("set the virtio-net header of TUN device", name, .current)
    }
    for wish in TUNOffloads.ladder
    where clinux_ioctl_int(queue, CLinux.CTUN_SET_OFFLOAD, UInt(wish.rawValue)) == 0 {
      return wish
    }
    throw PlatformError("set the offloads of TUN device", name, .current)
  }
}

extension TUN {
  /// Whether the device stays when its last queue is closed; needs a queue that nobody has taken yet.
  ///
  /// The corresponding command is `ip tuntap del NAME mode tun`, when switched off and closed.
  public borrowing func setPersistent(_ isPersistent: Bool) throws(PlatformError) {
    guard let queue = queues.first else {
      throw PlatformError(
        "set the persistence of TUN device", name, Errno(rawValue: EBADF), reason: .invalid,
        advice: "Ask the device before its last queue is taken, or the queue itself.")
    }
    guard clinux_ioctl_int(queue, CLinux.CTUN_SET_PERSIST, isPersistent ? 1 : 0) == 0 else {
      throw PlatformError("set the persistence of TUN device", name, .current)
    }
  }
}

extension TUNQueue {
  /// Whether the device stays when its last queue is closed.
  public borrowing func setPersistent(_ isPersistent: Bool) throws(PlatformError) {
    let code = clinux_ioctl_int(descriptor.raw, CLinux.CTUN_SET_PERSIST, isPersistent ? 1 : 0)
    guard code == 0 else {
      throw PlatformError("set the persistence of TUN device", interfaceName, .current)
    }
  }
}
