internal import Control
internal import Manifest
internal import Platform
internal import Wire

/// How packets for this host's VMs come from its uplinks to its workers: through packet sockets, which take
/// super-packets whole, or through the stack, which cuts them up before it routes them into `anantaN`.
///
/// Each worker has a socket on each uplink, whose filter lets in what is for the worker's own VMs. The stack
/// gets a copy of every packet; a routing rule for just these uplinks makes it drop them there, without an
/// ICMP error and without a way back to the router. The routes into `anantaN` stay, for what comes by other
/// devices, as from a MUX on the same node. The rules outlive the agent, as the routes do: without an agent
/// the kernel drops the packets.
struct ReceivePath {
  /// Before whatever other rules there are; only the kernel's own for local addresses comes first.
  static let rulePriority: UInt32 = 16

  private let settings: HostConfiguration
  private let address: IPv4Address
  /// By uplink, then by worker.
  private var sockets: [UplinkSocket] = []
  /// The devices that were to be used, whether they could be or not.
  private(set) var uplinks: [Int32] = []
  /// What the filters let in; nil when some let in nothing yet.
  private var admitted: IPv4Prefix?
  /// Packets that found no room, also in sockets that were closed since.
  private var dropped: UInt64 = 0
  /// Why some uplink, or none at all, is read by packet sockets; each a sentence.
  private(set) var obstacles: [String] = []

  init(_ settings: HostConfiguration, address: IPv4Address) {
    self.settings = settings
    self.address = address
  }

  /// A worker's part.
  func sockets(of worker: Int) -> [UplinkSocket] { sockets.filter { $0.worker == worker } }

  /// The names of the uplinks that are read by packet sockets.
  var devices: [String] { sockets.filter { $0.worker == 0 }.map { $0.socket.interfaceName } }

  /// Whether the node's uplinks are others than when `open` looked for them; false when the kernel does not say.
  var isOutdated: Bool {
    guard let found = try? find() else { return false }
    return found.links.map(\.index) != uplinks
  }

  /// Opens sockets on the node's uplinks, and lets go of those on devices that are no uplinks any more.
  ///
  /// New ones let nothing in before `admit`. An uplink without sockets stays with the stack.
  mutating func open() {
    let found: (links: [NetworkLink], obstacles: [String])
    do throws(PlatformError) {
      found = try find()
    } catch {
      obstacles = [error.description]
      return
    }
    obstacles = found.obstacles
    uplinks = found.links.map(\.index)
    countDrops()
    sockets.removeAll { !uplinks.contains($0.socket.interfaceIndex) }
    let present = Set(sockets.map { $0.socket.interfaceIndex })
    for link in found.links where !present.contains(link.index) {
      do throws(PlatformError) {
        var opened: [UplinkSocket] = []
        for worker in 0..<settings.workers { opened.append(try UplinkSocket(on: link, worker: worker)) }
        sockets += opened
        admitted = nil
      } catch {
        obstacles.append(error.description)
      }
    }
  }

  /// What keeps the stack from routing packets that the sockets take, too.
  func rules(for locators: IPv4Prefix?) -> Set<RoutingRule> {
    guard let locators else { return [] }
    return Set(
      devices.map { .blackhole(priority: Self.rulePriority, destination: locators, incoming: $0) })
  }

  /// Lets packets for these locators in; returns what could not be done.
  ///
  /// To be called when the rules are in force: until then the stack has the packets, from then on the sockets, and
  /// nobody gets one twice.
  mutating func admit(_ locators: IPv4Prefix?) -> [String] {
    guard locators != admitted || locators == nil else { return [] }
    var problems: [String] = []
    for uplink in sockets {
      let filter = locators.map {
        PacketFilter.encapsulated(to: $0, worker: uplink.worker, of: settings.workers)
      }
      do throws(PlatformError) {
        try uplink.socket.setFilter(filter ?? .nothing)
      } catch {
        problems.append(error.description)
      }
    }
    admitted = problems.isEmpty ? locators : nil
    return problems
  }

  /// The way in force, and why not a better one.
  var paths: [ForwardingPath] {
    let reason = obstacles.joined(separator: " ")
    guard !devices.isEmpty else {
      return [ForwardingPath(role: .host, device: "", path: "stack", reason: reason)]
    }
    return devices.map { ForwardingPath(role: .host, device: $0, path: "packet socket", reason: reason) }
  }

  /// Packets that workers were too slow for.
  mutating func dropCount() -> UInt64 {
    countDrops()
    return dropped
  }

  private mutating func countDrops() {
    for uplink in sockets { dropped += uplink.socket.takeDropCount() }
  }

  /// The devices that the configuration names, or those that the node's address or default routes lead to.
  private func find() throws(PlatformError) -> (links: [NetworkLink], obstacles: [String]) {
    let netlink = try Netlink.open()
    guard settings.uplinks.isEmpty else {
      let links = try netlink.links()
      let missing = settings.uplinks.filter { name in !links.contains { $0.name == name } }
      return (
        links.filter { settings.uplinks.contains($0.name) },
        missing.map { "There is no device \($0), which host.uplinks names." }
      )
    }
    let links = try netlink.uplinks(of: address)
    guard links.isEmpty else { return (Array(links.prefix(HostLoop.mostSockets)), []) }
    return ([], ["No Ethernet device has the address \(address), and no default route leads to one."])
  }
}

extension ReceivePath: CustomStringConvertible {
  /// For the log.
  var description: String {
    let way = devices.isEmpty ? "the stack" : "packet sockets on \(devices.joined(separator: ", "))"
    return ([way] + obstacles).joined(separator: "; ")
  }
}
