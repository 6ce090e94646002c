/// What a CPU has counted of one VM's packets that the kernel carried; a super-packet is one.
public struct MachineCount: BitwiseCopyable, Hashable, Sendable {
  /// To the VM.
  public var packetsIn: UInt64
  /// Of them, from the IPv4 header on.
  public var bytesIn: UInt64
  /// From the VM.
  public var packetsOut: UInt64
  /// Of them, from the IPv4 header on.
  public var bytesOut: UInt64

  /// Nothing yet.
  @inline(always) public init() {
    packetsIn = 0
    bytesIn = 0
    packetsOut = 0
    bytesOut = 0
  }
}

/// How the maps of the host's programs are laid out, for both who write and who read them.
public enum HostKernelLayout {
  /// Connections that the kernel carries.
  ///
  /// Those beyond stay in user space. As many as a MUX records.
  @inline(always) public static var flows: Int { 131_072 }
  /// MUXes of a data centre: as many as a manager takes nodes.
  @inline(always) public static var muxes: Int { 1_024 }
  /// The device as whose packets those of VMs are routed: the loopback device, whose number is always 1.
  ///
  /// It is there without an agent, and the node's ends of pairs forward nothing.
  @inline(always) public static var ingress: UInt32 { 1 }
  /// VMs of one host, by their index.
  @inline(always) public static var machines: Int { 1_024 }
}
