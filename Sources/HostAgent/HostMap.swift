public import Wire

/// What a host has to know of the data centre: its VMs, what they serve, and whom to believe.
///
/// Built by the control thread, never changed, adopted by each worker between two batches.
public final class HostMap: Sendable {
  /// A VM of this host.
  public struct Machine: Hashable, Sendable {
    /// Names the VM's device in verdicts; below `machineLimit`, the same for the VM's whole life.
    public var index: UInt32
    /// Its underlay address, the outer destination of its packets.
    public var locator: IPv4Address
    /// Its address within its virtual network.
    public var dip: IPv4Address
    /// Of its device, in bytes: the underlay's MTU less 20, the room that IPIP takes.
    public var mtu: Int
    /// Whether the kernel may carry its flows (`HostAgent.takeChange`).
    public var lendsFlows: Bool

    /// Describes a VM.
    public init(
      index: UInt32, locator: IPv4Address, dip: IPv4Address, mtu: Int, lendsFlows: Bool = false
    ) {
      self.index = index
      self.locator = locator
      self.dip = dip
      self.mtu = mtu
      self.lendsFlows = lendsFlows
    }
  }

  /// A port of a VIP that a VM of this host serves.
  public struct Endpoint: Hashable, Sendable {
    /// The VM, by its index.
    public var machine: UInt32
    /// The service's virtual address.
    public var vip: IPv4Address
    /// TCP or UDP.
    public var proto: IPProtocol
    /// At the VIP.
    public var port: UInt16
    /// At the DIP.
    public var backendPort: UInt16
    /// A flow that is silent this long is forgotten; more than 12 days count as 12 days.
    public var idleMilliseconds: UInt32

    /// Describes an endpoint.
    public init(
      machine: UInt32, vip: IPv4Address, proto: IPProtocol, port: UInt16, backendPort: UInt16,
      idleMilliseconds: UInt32
    ) {
      self.machine = machine
      self.vip = vip
      self.proto = proto
      self.port = port
      self.backendPort = backendPort
      self.idleMilliseconds = idleMilliseconds
    }
  }

  /// Indices of VMs end before this.
  public static var machineLimit: Int { Limits.machines }

  /// From whom encapsulated packets are accepted.
  public let muxes: [IPv4Address]
  /// VMs, sorted by index.
  public let machines: [Machine]
  /// Endpoints, in the order given.
  public let endpoints: [Endpoint]

  /// Nobody and nothing: every packet is dropped.
  public static let empty = HostMap()

  private init() {
    muxes = []
    machines = []
    endpoints = []
  }

  /// Joins the three lists.
  ///
  /// - Throws: when they contradict one another or exceed a limit; the first contradiction is named.
  public init(
    muxes: [IPv4Address], machines: [Machine], endpoints: [Endpoint]
  ) throws(HostMapError) {
    guard muxes.count <= Limits.muxes else { throw .tooManyMuxes(muxes.count) }
    guard endpoints.count <= Limits.endpoints else { throw .tooManyEndpoints(endpoints.count) }
    let sorted = machines.sorted { $0.index < $1.index }
    try Self.check(sorted)
    try Self.check(endpoints, of: sorted)
    self.muxes = muxes
    self.machines = sorted
    self.endpoints = endpoints
  }

  private static func check(_ machines: [Machine]) throws(HostMapError) {
    var indices = Set<UInt32>()
    var locators = Set<IPv4Address>()
    for machine in machines {
      guard machine.index < Limits.machines else { throw .indexTooBig(machine.index) }
      guard indices.insert(machine.index).inserted else { throw .repeatedIndex(machine.index) }
      guard machine.locator != .any, locators.insert(machine.locator).inserted else {
        throw .repeatedLocator(machine.locator)
      }
      guard machine.mtu >= Limits.smallestMTU, machine.mtu <= Limits.largestMTU else {
        throw .badMTU(machine.locator, machine.mtu)
      }
    }
  }

  private static func check(
    _ endpoints: [Endpoint], of machines: [Machine]
  ) throws(HostMapError) {
    let known = Set(machines.map(\.index))
    var seen = Set<[UInt64]>()
    for endpoint in endpoints {
      guard known.contains(endpoint.machine) else { throw .unknownMachine(endpoint) }
      guard endpoint.proto == .tcp || endpoint.proto == .udp else { throw .badProtocol(endpoint) }
      guard endpoint.vip != .any, endpoint.port != 0, endpoint.backendPort != 0 else {
        throw .zero(endpoint)
      }
      let name = [
        UInt64(endpoint.machine), UInt64(endpoint.vip.raw), UInt64(endpoint.port),
        UInt64(endpoint.proto.rawValue),
      ]
      guard seen.insert(name).inserted else { throw .repeatedEndpoint(endpoint) }
    }
  }
}
