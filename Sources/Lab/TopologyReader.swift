import Control
import Foundation
import Wire
import Yams

/// Reads a topology; an error names file, line, path and reason.
public struct TopologyReader {
  private let file: String
  private var names: Set<String> = []
  private var links: [IPv4Prefix] = []

  /// Reads the file at a path.
  public static func read(path: String) throws(LabError) -> Topology {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw LabError(.topology, "\(path) cannot be read; --topology names the file that describes the lab.")
    }
    guard data.count <= Limits.topologyBytes else {
      throw LabError(.topology, "\(path) is larger than \(Limits.topologyBytes) bytes.")
    }
    return try read(text: String(decoding: data, as: UTF8.self), file: path)
  }

  /// Reads text; `file` is what errors call it.
  public static func read(text: String, file: String) throws(LabError) -> Topology {
    let root: Yams.Node?
    do {
      root = try Yams.compose(yaml: text)
    } catch {
      throw LabError(.topology, syntaxFault(error, file: file))
    }
    guard let root else { throw LabError(.topology, "\(file):1: the file is empty") }
    var reader = TopologyReader(file: file)
    return try reader.topology(Field(node: root, file: file, path: ""))
  }

  private init(file: String) { self.file = file }

  private static func syntaxFault(_ error: any Error, file: String) -> String {
    switch error as? YamlError {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      "\(file):\(mark.line): \(problem)"
    case .duplicatedKeysInMapping(let keys, let context):
      "\(file):\(context.mark.line): \(keys.joined(separator: ", ")): the key is there twice"
    default: "\(file): \(error)"
    }
  }

  private mutating func topology(_ root: Field) throws(LabError) -> Topology {
    let fields = try root.mapping([
      "mtu", "offload", "security", "router", "clients", "internet", "nodes", "networks", "services",
    ])
    let router = try router(fields.required("router"))
    var topology = Topology(
      mtu: try fields["mtu"]?.number(576...9000) ?? 1500, offload: try fields["offload"]?.truth() ?? true,
      security: try fields["security"]?.choice(Topology.Security.self) ?? .tls,
      router: router, clients: [], internet: [], machines: [], networks: [], guests: [], offers: [])
    for field in try fields.list("clients") { topology.clients.append(try client(field)) }
    for field in try fields.list("internet") { topology.internet.append(try client(field)) }
    for field in try fields.required("nodes").list() {
      topology.machines.append(try machine(field, in: topology))
    }
    let managers = topology.machines(with: .manager).count
    guard [1, 3, 5].contains(managers) else {
      throw try fields.required("nodes").fault("\(managers) nodes are managers; 1, 3 or 5 must be")
    }
    for field in try fields.list("networks") { try network(field, into: &topology) }
    for field in try fields.list("services") { topology.offers.append(try offer(field, in: topology)) }
    guard topology.members.count <= Limits.namespaces else {
      throw root.fault("\(topology.members.count) members are more than \(Limits.namespaces)")
    }
    return topology
  }

  /// A name that no other member of the lab has, since each has a namespace of that name.
  private mutating func memberName(_ field: Field, upTo length: Int) throws(LabError) -> String {
    let name = try field.name(upTo: length)
    guard names.insert(name).inserted else { throw field.fault("\(name) is taken by another member") }
    return name
  }

  private mutating func link(_ field: Field) throws(LabError) -> Topology.Link {
    let link = try field.link()
    if let other = links.first(where: { $0.overlaps(link.prefix) }) {
      throw field.fault("\(link.prefix) overlaps \(other)")
    }
    links.append(link.prefix)
    return link
  }

  private mutating func router(_ field: Field) throws(LabError) -> Topology.Router {
    let fields = try field.mapping(["name", "as", "vips"])
    var vips: [IPv4Prefix] = []
    for prefix in try fields.required("vips").list() { vips.append(try prefix.prefix()) }
    return Topology.Router(
      name: try memberName(fields.required("name"), upTo: Limits.nodeNameLength),
      autonomousSystem: UInt32(try fields["as"]?.number(1...4_294_967_294) ?? 65000), vips: vips)
  }

  private mutating func client(_ field: Field) throws(LabError) -> Topology.Client {
    let fields = try field.mapping(["name", "address"])
    return Topology.Client(
      name: try memberName(fields.required("name"), upTo: Limits.nodeNameLength),
      link: try link(fields.required("address")))
  }

  private mutating func machine(_ field: Field, in topology: Topology) throws(LabError) -> Topology.Machine {
    let fields = try field.mapping(["name", "address", "roles", "locators", "as", "path"])
    let name = try memberName(fields.required("name"), upTo: Limits.nodeNameLength)
    let link = try link(fields.required("address"))
    var roles: [Role] = []
    for role in try fields.required("roles").list() { roles.append(try role.choice(Role.self)) }
    guard !roles.isEmpty, Set(roles).count == roles.count else {
      throw try fields.required("roles").fault("at least one role is needed, and none twice")
    }
    roles.sort { $0.rawValue < $1.rawValue }
    let locators = try fields["locators"]?.prefix()
    guard roles.contains(.host) == (locators != nil) else {
      throw field.fault("locators must be there exactly when the node is a host")
    }
    if let locators {
      if let other = links.first(where: { $0.overlaps(locators) }) {
        throw try fields.required("locators").fault("\(locators) overlaps \(other)")
      }
      links.append(locators)
    }
    let node = Control.Node(name: name, address: link.address, roles: roles, locators: locators)
    let system = UInt32(try fields["as"]?.number(1...4_294_967_294) ?? 65001)
    let path = try fields["path"]?.choice(MuxPath.self) ?? .auto
    return Topology.Machine(node: node, link: link, autonomousSystem: system, path: path)
  }

  private mutating func network(_ field: Field, into topology: inout Topology) throws(LabError) {
    let fields = try field.mapping(["name", "prefixes", "vms"])
    let name = try fields.required("name").name()
    guard !topology.networks.contains(where: { $0.name == name }) else {
      throw try fields.required("name").fault("there are two networks called \(name)")
    }
    var prefixes: [IPv4Prefix] = []
    for prefix in try fields.required("prefixes").list() { prefixes.append(try prefix.prefix()) }
    topology.networks.append(VirtualNetwork(name: name, prefixes: prefixes))
    for field in try fields.list("vms") {
      let fields = try field.mapping(["name", "dip", "host", "attach"])
      let dip = try fields.required("dip")
      let host = try fields.required("host")
      let guest = Topology.Guest(
        name: try memberName(fields.required("name"), upTo: Limits.nameLength), network: name,
        dip: try dip.address(), host: try host.text(),
        device: try fields["attach"]?.choice(DeviceKind.self) ?? .tun)
      guard prefixes.contains(where: { $0.contains(guest.dip) }) else {
        throw dip.fault("\(guest.dip) is outside the prefixes of \(name)")
      }
      if let other = topology.guests.first(where: { $0.network == name && $0.dip == guest.dip }) {
        throw dip.fault("\(guest.dip) is \(other.name)'s")
      }
      guard topology.machine(guest.host)?.node.roles.contains(.host) == true else {
        throw host.fault("there is no node \(guest.host) with the role host")
      }
      topology.guests.append(guest)
    }
  }

  private func offer(_ field: Field, in topology: Topology) throws(LabError) -> Topology.Offer {
    let fields = try field.mapping([
      "name", "network", "vip", "endpoints", "snat", "snatVIPs", "snatPortsPerMachine",
    ])
    let name = try fields.required("name")
    let vip = try fields.required("vip")
    let network = try fields.required("network")
    let address = try vip.address()
    guard topology.router.vips.contains(where: { $0.contains(address) }) else {
      throw vip.fault("\(address) is outside router.vips, so the router would not accept it")
    }
    for other in topology.offers.map(\.service) {
      guard other.name != (try name.name()) else { throw name.fault("there are two services of that name") }
      guard other.vip != address else { throw vip.fault("\(address) is the VIP of \(other.name)") }
    }
    let tenant = try network.text()
    guard topology.networks.contains(where: { $0.name == tenant }) else {
      throw network.fault("there is no network \(tenant)")
    }
    let guests = topology.guests.filter { $0.network == tenant }
    var service = Service(name: try name.name(), vip: address, endpoints: [])
    var servers: [Topology.Server?] = []
    for field in try fields.required("endpoints").list() {
      let (endpoint, server) = try endpoint(field, guests: guests)
      service.endpoints.append(endpoint)
      servers.append(server)
    }
    try outbound(fields, guests: guests, in: topology, into: &service)
    return Topology.Offer(service: service, servers: servers)
  }

  /// Who leaves by the service's VIPs, and with how many ports.
  private func outbound(
    _ fields: FieldMapping, guests: [Topology.Guest], in topology: Topology, into service: inout Service
  ) throws(LabError) {
    for item in try fields.list("snat") {
      let name = try item.text()
      guard guests.contains(where: { $0.name == name }) else {
        throw item.fault("\(name) is not a VM of the service's network")
      }
      service.snat.append(name)
    }
    for item in try fields.list("snatVIPs") {
      let vip = try item.address()
      guard topology.router.vips.contains(where: { $0.contains(vip) }) else {
        throw item.fault("\(vip) is outside router.vips, so the router would not accept it")
      }
      service.snatVIPs.append(vip)
    }
    guard let ports = fields["snatPortsPerMachine"] else { return }
    service.snatPortsPerMachine = try ports.number(Control.Limits.snatPortsPerMachine)
    guard service.snatPortsPerMachine.isMultiple(of: PortRange.portCount) else {
      throw ports.fault("a multiple of \(PortRange.portCount) is expected")
    }
  }

  private func endpoint(
    _ field: Field, guests: [Topology.Guest]
  ) throws(LabError) -> (Endpoint, Topology.Server?) {
    let fields = try field.mapping([
      "name", "protocol", "port", "backendPort", "affinity", "backends", "probe", "server",
    ])
    let transports: [String: TransportProtocol] = ["tcp": .tcp, "udp": .udp]
    let transportField = try fields.required("protocol")
    guard let transport = transports[try transportField.text()] else {
      throw transportField.fault("the protocol is tcp or udp")
    }
    let port = UInt16(try fields.required("port").number(1...65535))
    let backendPort = UInt16(try fields["backendPort"]?.number(1...65535) ?? Int(port))
    var backends = guests.map { Backend(machine: $0.name) }
    if let list = fields["backends"] {
      backends = []
      for item in try list.list() {
        let name = try item.text()
        guard guests.contains(where: { $0.name == name }) else {
          throw item.fault("\(name) is not a VM of the service's network")
        }
        backends.append(Backend(machine: name))
      }
    }
    let endpoint = Endpoint(
      name: try fields["name"]?.name() ?? "\(transport)-\(port)", transport: transport, port: port,
      backendPort: backendPort, backends: backends,
      probe: try fields["probe"].map { field throws(LabError) in try probe(field, port: backendPort) },
      affinity: try fields["affinity"]?.choice(Affinity.self) ?? .fiveTuple,
      idleTimeoutMilliseconds: transport == .tcp ? 240_000 : 60_000)
    return (endpoint, try fields["server"]?.choice(Topology.Server.self))
  }

  private func probe(_ field: Field, port: UInt16) throws(LabError) -> Probe {
    let fields = try field.mapping(["http", "tcp", "port", "interval", "timeout", "threshold"])
    guard (fields["http"] != nil) != (fields["tcp"] != nil) else {
      throw field.fault("exactly one of http and tcp is needed")
    }
    var method = Probe.Method.tcp
    if let http = fields["http"] {
      method = .http(path: try http.mapping(["path"]).required("path").text())
    }
    let interval = try fields["interval"]?.milliseconds(100...300_000) ?? 2000
    return Probe(
      method: method, port: UInt16(try fields["port"]?.number(1...65535) ?? Int(port)),
      intervalMilliseconds: interval,
      timeoutMilliseconds: try fields["timeout"]?.milliseconds(1...interval) ?? min(1000, interval),
      threshold: try fields["threshold"]?.number(1...10) ?? 2)
  }
}

extension TopologyReader {
  /// The topology of `up` without `--topology`: in the source tree, or where it was installed beside the program.
  public static var defaultFile: String {
    let inTree = "deploy/lab/small.yaml"
    let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? "/usr/bin/x"
    let prefix = URL(fileURLWithPath: own).deletingLastPathComponent().deletingLastPathComponent().path
    let installed = "\(prefix)/share/ananta/lab/small.yaml"
    return [inTree, installed].first { FileManager.default.fileExists(atPath: $0) } ?? inTree
  }
}
