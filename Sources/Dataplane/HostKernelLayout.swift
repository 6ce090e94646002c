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

/// What the host's programs depend on beside the flows.
public struct HostKernelSettings: BitwiseCopyable, Sendable {
  /// The device by which user space's packets come into the stack; the programs' are routed as if they came by it.
  public var ingress: UInt32
  /// Always 0.
  public var padding: UInt32

  /// Names the device by its number.
  public init(ingress: UInt32) {
    self.ingress = ingress
    padding = 0
  }
}

/// How the maps of the host's programs are laid out, for both who write and who read them.
public enum HostKernelLayout {
  /// Connections that the kernel carries; those beyond stay in user space. As many as a MUX records.
  @inline(always) public static var flows: Int { 131_072 }
  /// MUXes of a data centre: as many as a manager takes nodes.
  @inline(always) public static var muxes: Int { 1_024 }
  /// VMs of one host, by their index.
  @inline(always) public static var machines: Int { 1_024 }
}
