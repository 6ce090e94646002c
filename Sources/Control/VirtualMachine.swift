public import Wire

/// How a VM is joined to its host agent.
public enum Attachment: Codable, Hashable, Sendable {
  /// An interface named `device` inside the network namespace `name` (as of `ip netns`).
  case networkNamespace(name: String, device: String, kind: DeviceKind = .tun)
}

/// What a VM's interface is.
public enum DeviceKind: String, CaseIterable, Codable, Hashable, Sendable {
  /// A TUN device: the host agent carries every packet.
  case tun
  /// One end of a veth pair: the kernel carries the packets of known flows.
  case veth
}

/// A tenant's VM: a DIP of a virtual network on a host.
public struct VirtualMachine: Codable, Hashable, Sendable {
  /// `metadata.name`.
  public var name: String
  /// The virtual network it belongs to.
  public var network: String
  /// Its address within that network.
  public var dip: IPv4Address
  /// The node that hosts it.
  public var host: String
  /// Its device.
  public var attachment: Attachment

  /// Describes a VM.
  public init(name: String, network: String, dip: IPv4Address, host: String, attachment: Attachment) {
    self.name = name
    self.network = network
    self.dip = dip
    self.host = host
    self.attachment = attachment
  }
}
