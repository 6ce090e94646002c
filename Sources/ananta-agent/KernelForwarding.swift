internal import Control
internal import Dataplane
internal import Glibc
internal import KernelPath
internal import Manifest
internal import Platform
internal import Wire

/// The MUX's way through the kernel: its programs on the uplinks, and the tables they go by.
///
/// Programs and tables outlive the agent: they forward while it is replaced, and the next one takes them over.
struct KernelForwarding {
  /// Where the programs' names are, below the agent's data directory.
  static let directory = "bpf"
  /// Before other filters of tc.
  static let priority: UInt32 = 1
  /// Of our filter.
  static let handle: UInt32 = 0xa17a

  let kernel: MuxKernel
  private let names: Names
  private let settings: MuxConfiguration
  private let address: IPv4Address
  /// What an agent before this one left.
  private(set) var remains: KernelRemains?
  private var image: KernelImage?
  /// What of another version's records is counted, while its programs may still add some; nil without such programs.
  private var adopted: Set<KernelFlowKey>?
  /// When packets last took each next hop, as far as was looked.
  private var nextHops: [KernelDevice: UInt64] = [:]
  /// Seconds until next hops are looked at again.
  private var untilNextHops = 0
  private var links: [Int32: Attached] = [:]
  private let left: LeftPrograms
  /// The way of each uplink by its index, when what does not belong there was last removed; nil before.
  private var presentWays: [Int32: String]?
  /// The way of each uplink.
  private(set) var paths: [ForwardingPath] = []
  /// Connections recorded.
  private(set) var recordCount = 0

  /// A bpffs, kept open.
  private final class Names: Sendable {
    let files: BPFFilesystem
    init(_ files: consuming BPFFilesystem) { self.files = files }
  }

  /// A program at a driver, and the device.
  private final class Attached: Sendable {
    let link: XDPLink
    let name: String
    init(_ link: consuming XDPLink, name: String) {
      self.link = link
      self.name = name
    }
  }

  /// Loads the programs, which see no packet before `attach`.
  ///
  /// An error is one sentence on what the kernel lacks or refuses.
  init(_ agent: AgentConfiguration, _ settings: MuxConfiguration, seed: UInt64) throws(PlatformError) {
    let mountPoint = agent.dataDirectory + "/" + Self.directory
    let names = Names(try BPFFilesystem.open(mountPoint + "/mux", mountingAt: mountPoint))
    let own = KernelSettings(seed: seed, address: agent.address, mtu: settings.mtu)
    kernel = try MuxKernel(own, pinnedAt: { name throws(PlatformError) in try names.files.path(name) })
    remains = try kernel.remains()
    self.names = names
    left = .mux(agent.dataDirectory)
    self.settings = settings
    address = agent.address
  }

  /// What an operator should know of at the start.
  var warnings: [String] {
    var warnings: [String] = []
    switch kernel.inheritance {
    case .all: break
    case .records:
      warnings.append(
        "the kernel's tables are another version's and are replaced: recorded connections stay, others in moving slots may move"
      )
    case .nothing:
      warnings.append(
        "the kernel's tables and records are another version's and are replaced: connections in moving slots may move"
      )
    }
    if let warning = names.files.warning { warnings.append(warning) }
    return warnings
  }

  /// Leases of SNAT ranges, which outlive the programs; what is changed here is changed for them.
  var ranges: SNATRanges { kernel.ranges }

  /// Lets packets go by a map; the first one after what an agent before this one left.
  mutating func install(_ map: VIPMap) throws {
    let next = try KernelImage(map, after: image, replacing: image == nil ? remains : nil)
    try kernel.install(next)
    if image == nil, kernel.inheritance != .all { adopted = try kernel.adoptRecords(next) }
    image = next
    remains = nil
  }

  /// Puts the programs on the uplinks, where they are not there already, and takes them from devices that are
  /// no uplinks any more or go another way now.
  ///
  /// What an agent before this one left goes on until there is something to take its place.
  mutating func attach() {
    guard let image else { return }
    var found: [ForwardingPath] = []
    var ways: [Int32: String] = [:]
    for (name, result) in uplinks() {
      do throws(PlatformError) {
        let uplink = try result.get()
        let path = try attach(to: uplink)
        ways[uplink.index] = path.path
        found.append(path)
      } catch {
        found.append(ForwardingPath(role: .mux, device: name, path: "user space", reason: error.description))
      }
    }
    paths = found
    finishAdoption(image)
    guard ways != presentWays else { return }
    left.removeFilters { ways[$0] != "tc" }
    for name in (try? names.files.names()) ?? [] where name.hasPrefix("xdp-") {
      guard let index = Int32(name.dropFirst(4)), ways[index] != "xdp" else { continue }
      try? links.removeValue(forKey: index)?.link.detach()
      _ = try? names.files.remove(name)
    }
    presentWays = ways
  }

  /// Adopts what the programs before ours have recorded to the end; to be tried again at the next `attach` if
  /// it fails.
  private mutating func finishAdoption(_ image: KernelImage) {
    guard let known = adopted else { return }
    do throws(PlatformError) {
      adopted = try kernel.adoptRecords(image, known: known)
      try kernel.declareCurrent()
      adopted = nil
    } catch {
      return
    }
  }

  /// The uplinks by name; one that the configuration names and that is not there is an error of its own.
  private func uplinks() -> [(name: String, link: Result<NetworkLink, PlatformError>)] {
    do throws(PlatformError) {
      let netlink = try Netlink.open()
      guard settings.uplinks.isEmpty else {
        return settings.uplinks.map { name in
          do throws(PlatformError) {
            return (name, .success(try netlink.link(named: name)))
          } catch {
            return (name, .failure(error))
          }
        }
      }
      return try netlink.uplinks(of: address).map { ($0.name, .success($0)) }
    } catch {
      return [("", .failure(error))]
    }
  }

  private mutating func attach(to uplink: NetworkLink) throws(PlatformError) -> ForwardingPath {
    switch settings.path {
    case .tc: return try attachFilter(to: uplink, reason: "the configuration says so")
    case .xdp:
      try attachLink(to: uplink)
      return ForwardingPath(role: .mux, device: uplink.name, path: "xdp")
    case .auto, .userSpace:
      // On a virtual link packets are never cut up, unless XDP asks for it.
      guard let kind = uplink.kind else { return try attachFastest(to: uplink) }
      return try attachFilter(
        to: uplink, reason: "xdp would cut up the super-packets of a virtual link (\(kind))")
    }
  }

  private mutating func attachFastest(to uplink: NetworkLink) throws(PlatformError) -> ForwardingPath {
    do throws(PlatformError) {
      try attachLink(to: uplink)
      return ForwardingPath(role: .mux, device: uplink.name, path: "xdp")
    } catch {
      return try attachFilter(to: uplink, reason: error.description)
    }
  }

  private func attachFilter(
    to uplink: NetworkLink, reason: String
  ) throws(PlatformError) -> ForwardingPath {
    _ = try TCFilter.createHook(device: uplink.index)
    let filter = TCFilter(device: uplink.index, .ingress, priority: Self.priority, handle: Self.handle)
    if try filter.programID() != kernel.tc.info().id { try filter.attach(kernel.tc) }
    return ForwardingPath(role: .mux, device: uplink.name, path: "tc", reason: reason)
  }

  private mutating func attachLink(to uplink: NetworkLink) throws(PlatformError) {
    let place = uplink.index % Int32(KernelLayout.devices)
    let isTaken = links.keys.contains { $0 != uplink.index && $0 % Int32(KernelLayout.devices) == place }
    let redirects = uplink.kind == "veth"
    guard !isTaken,
      let device = KernelDevice(index: uplink.index, address: uplink.address, redirects: redirects)
    else {
      throw PlatformError(
        "attach", "XDP to \(uplink.name)", Errno(rawValue: EOPNOTSUPP),
        advice: isTaken ? "Another uplink has its place." : "It has no Ethernet address.")
    }
    // Every second, since a MAC address may change.
    try kernel.admit(device)
    if let attached = links[uplink.index], attached.name == uplink.name,
      try attached.link.info().device == uplink.index
    {
      return
    }
    let path = try names.files.path("xdp-\(uplink.index)")
    if let link = try XDPLink.open(pinned: path), try link.info().device == uplink.index {
      try link.update(to: kernel.xdp)
      links[uplink.index] = Attached(link, name: uplink.name)
      return
    }
    let link = try XDPLink.attach(kernel.xdp, device: uplink.index)
    try link.pin(at: path, replacing: true)
    links[uplink.index] = Attached(link, name: uplink.name)
  }

  /// Takes programs, tables and names away, so that packets go through user space.
  func abandon() {
    for attached in links.values { try? attached.link.detach() }
    left.remove()
  }

  /// Removes what has expired; to be called about once a second.
  mutating func sweep(now: UInt32) throws(PlatformError) {
    // Before they are adopted, records are not counted, and must not be counted off.
    guard image != nil || kernel.inheritance == .all else { return }
    recordCount = try kernel.sweep(now: now)
  }

  /// Lets the kernel find out whether the MAC addresses still hold that XDP sends to; every tenth call looks.
  ///
  /// What XDP sends the stack does not see: without this an address would be used for ever once it is known. tc sends
  /// through the stack, which asks by itself.
  mutating func refreshNeighbours(_ map: VIPMap) throws(PlatformError) {
    guard !links.isEmpty else { return }
    untilNextHops -= 1
    guard untilNextHops < 0 else { return }
    untilNextHops = 10
    let netlink = try Netlink.open()
    let stale = try netlink.neighbours().filter { $0.isStale && links[$0.interfaceIndex] != nil }
    guard !stale.isEmpty else { return }
    let present = try kernel.nextHops(map)
    defer { nextHops = present }
    for neighbour in stale {
      let hop = KernelDevice(index: neighbour.interfaceIndex, address: neighbour.linkAddress)
      // Not those that no packet has taken since the last look, which the kernel may forget.
      guard let hop, let use = present[hop], nextHops[hop] != use else { continue }
      // A device that has gone meanwhile is no reason to leave the others.
      try? netlink.use(neighbour)
    }
  }

  /// What the programs have counted.
  func counters(_ map: VIPMap) -> MuxKernelCounters? { try? kernel.counters(map) }
}
