import Control
import Foundation

/// How much of a topology `up` makes the manager's desired state.
public enum Extent: String, Sendable {
  /// Nodes, networks, VMs and services: the lab balances traffic.
  case everything
  /// All but the services.
  case withoutServices
  /// Agents run, but nobody has told them anything.
  case nothing
}

/// What is to be built.
public struct LabPlan: Sendable {
  /// The lab's name.
  public var name: String
  /// The file of the topology.
  public var topologyFile: String
  /// The topology.
  public var topology: Topology
  /// The programs.
  public var programs: Programs
  /// What is applied.
  public var extent: Extent
  /// Whether the tools of the demo must be there, too.
  public var isForDemo: Bool

  /// Describes a plan.
  public init(
    name: String, topologyFile: String, topology: Topology, programs: Programs, extent: Extent = .everything,
    isForDemo: Bool = false
  ) {
    self.name = name
    self.topologyFile = topologyFile
    self.topology = topology
    self.programs = programs
    self.extent = extent
    self.isForDemo = isForDemo
  }
}

extension Lab {
  /// Builds a lab; if that fails or is cancelled, nothing of it is left.
  ///
  /// `progress` is told each step before it is taken.
  public static func up(_ plan: LabPlan, progress: @Sendable (String) -> Void) async throws(LabError) -> Lab {
    guard Field.isName(plan.name, upTo: Limits.labNameLength) else {
      throw LabError(
        .topology,
        "\(plan.name) is not a lab's name: lower-case letters, digits and -, at most \(Limits.labNameLength)."
      )
    }
    try await Prerequisites.check(forDemo: plan.isForDemo)
    var lab = try claim(plan)
    do {
      try await lab.build(plan, progress: progress)
      return lab
    } catch {
      let name = plan.name
      // Cancellation must not keep the traces from being removed.
      await Task { _ = try? await Lab.down(name) }.value
      throw error
    }
  }

  /// Takes the name; from here on `down` finds whatever is created.
  private static func claim(_ plan: LabPlan) throws(LabError) -> Lab {
    let fabric = Fabric(lab: plan.name, topology: plan.topology)
    try StateFiles.makeDirectory(LabRecord.root)
    let directory = LabRecord.directory(plan.name)
    if FileManager.default.fileExists(atPath: directory) { throw taken(plan.name) }
    if let member = plan.topology.members.first(where: { Namespaces.inode(of: fabric.namespace($0)) != nil })
    {
      let namespace = fabric.namespace(member)
      throw LabError(
        .taken,
        "Network namespace \(namespace) exists and is no lab's; choose another --name or `ip netns del \(namespace)`."
      )
    }
    guard try StateFiles.claimDirectory(directory) else { throw taken(plan.name) }
    var record = LabRecord(
      name: plan.name, topologyFile: plan.topologyFile, topology: plan.topology, programs: plan.programs)
    record.namespaces = plan.topology.members.map { .init(name: fabric.namespace($0), inode: nil) }
    try record.save()
    return Lab(record: record)
  }

  private static func taken(_ name: String) -> LabError {
    LabError(
      .taken, "A lab \(name) exists; `ananta-lab down --name \(name)` removes it, or choose another --name.")
  }

  private mutating func build(
    _ plan: LabPlan, progress: @Sendable (String) -> Void
  ) async throws(LabError) {
    progress("namespaces and links: \(topology.members.count) members")
    try await fabric.createNamespaces()
    for index in record.namespaces.indices {
      record.namespaces[index].inode = Namespaces.inode(of: record.namespaces[index].name)
    }
    try record.save()
    try await fabric.createLinks()
    progress("router: FRR zebra and bgpd")
    let router = topology.router.name
    let daemons = RouterDaemons(topology: topology, directory: directory(of: router))
    record.processes += try await daemons.start(in: try namespace(of: router))
    try record.save()
    progress("servers in \(topology.guests.count) VMs and \(topology.internet.count) places of the internet")
    for name in topology.guests.map(\.name) + topology.internet.map(\.name) {
      try await startServers(of: name)
    }
    if topology.security == .tls {
      progress("certificates of \(topology.machines.count) nodes and two operators")
      try await certificates.issue(for: topology, with: record.programs.control)
    }
    progress("agents: \(topology.machines.map(\.node.name).joined(separator: ", "))")
    for machine in topology.machines { try await start(machine.node.name) }
    try writeManifests()
    if plan.extent != .nothing {
      progress("ananta-ctl apply: nodes, networks, VMs")
      try await awaitManager()
      try await apply("fabric.yaml")
      if !topology.offload { try await disableGuestOffloads() }
    }
    if plan.extent == .everything {
      progress("ananta-ctl apply: services")
      try await apply("services.yaml")
      progress("waiting for the router to learn the VIPs")
      try await awaitRoutes()
      progress("waiting for every backend to be healthy")
      try await awaitHealth()
      // Changes nothing, and returns when every MUX has heard of the backends' health.
      try await apply("fabric.yaml")
    }
    try Task.isCancelled ? throwCancelled() : ()
    record.isComplete = true
    try record.save()
  }

  private func throwCancelled() throws(LabError) { throw LabError(.command, "Interrupted.") }

  private func writeManifests() throws(LabError) {
    let writer = ManifestWriter(lab: name, topology: topology)
    try StateFiles.makeDirectory("\(directory)/manifests")
    try StateFiles.write(writer.fabric, to: "\(directory)/manifests/fabric.yaml")
    try StateFiles.write(writer.services, to: "\(directory)/manifests/services.yaml")
  }

  /// The VM devices are the agents', and appear once the VMs have been applied.
  private func disableGuestOffloads() async throws(LabError) {
    for guest in topology.guests {
      let namespace = try namespace(of: guest.name)
      let show = ExternalCommand(["ip", "-n", namespace, "link", "show", "eth0"])
      let isThere = try await Patience.wait(upTo: Limits.convergenceMilliseconds) {
        () async throws(LabError) in
        try await show.run().succeeded
      }
      guard isThere else {
        throw LabError(
          .timeout, "\(guest.name) has got no device eth0; `ananta-lab logs \(guest.host)` says more.")
      }
      try await Fabric.disableOffloads(of: "eth0", in: namespace)
    }
  }
}
