public import Wire

/// The TUN device of a VM in its tenant's network namespace, with address, MTU and routes.
public struct TenantDevice: Hashable, Sendable {
  /// The device's name inside the namespace.
  public var name: String
  /// The VM's address; it gets the whole device for itself (/32).
  public var address: IPv4Address
  /// The largest packet in bytes: the underlay's MTU less 20 for IPIP.
  public var mtu: UInt32
  /// Queues, one for each worker, 1 to 256.
  public var queues: Int
  /// Whether the device outlives the agent.
  public var isPersistent: Bool

  /// Describes a device.
  public init(
    name: String = "eth0", address: IPv4Address, mtu: UInt32 = 1480, queues: Int = 1,
    isPersistent: Bool = true
  ) {
    self.name = name
    self.address = address
    self.mtu = mtu
    self.queues = queues
    self.isPersistent = isPersistent
  }

  /// Creates the device in a namespace or attaches to it, and makes everything as described, whatever was
  /// before.
  ///
  /// ```
  /// ip link set lo up
  /// ip link set NAME mtu MTU up
  /// ip address replace ADDRESS/32 dev NAME
  /// ip route replace default dev NAME proto 165
  /// ```
  public func open(in namespace: borrowing NetworkNamespace) throws(PlatformError) -> TUN {
    try namespace.run { () throws(PlatformError) in
      let device = try TUN.open(name, queues: queues, persistent: isPersistent)
      let netlink = try Netlink.open()
      try netlink.setUp(true, link: "lo")
      try netlink.setMTU(mtu, link: name)
      for old in try netlink.addresses(link: name) where old.address != address || old.prefixLength != 32 {
        try netlink.removeAddress(old.address, prefixLength: old.prefixLength, link: name)
      }
      try netlink.addAddress(address, link: name)
      try netlink.setUp(true, link: name)
      try netlink.replaceRoute(Route(to: IPv4Prefix(.any, length: 0), device: name))
      return device
    }
  }

  /// Removes the device of this name from a namespace, if it is there; the last queues then read nothing
  /// more.
  public func remove(in namespace: borrowing NetworkNamespace) throws(PlatformError) {
    let netlink = try Netlink.open(in: namespace)
    try netlink.deleteLink(named: name)
  }
}
