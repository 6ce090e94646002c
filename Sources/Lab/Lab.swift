import Control
import Foundation
import Glibc

/// A data centre of network namespaces on this machine, known by its name.
public struct Lab: Sendable {
  /// What it consists of and what it has created.
  public internal(set) var record: LabRecord

  /// The lab of that name, as `up` left it.
  public init(named name: String) throws(LabError) { record = try LabRecord.load(name) }

  init(record: LabRecord) { self.record = record }

  /// The lab's name.
  public var name: String { record.name }
  /// What it consists of.
  public var topology: Topology { record.topology }
  /// Its directory.
  public var directory: String { LabRecord.directory(name) }
  var certificates: LabCertificates { LabCertificates(directory: "\(directory)/pki") }
  var fabric: Fabric { Fabric(lab: name, topology: topology) }

  /// The directory of a member's files.
  public func directory(of member: String) -> String { "\(directory)/members/\(member)" }

  /// The network namespace of a node, client or VM.
  public func namespace(of member: String) throws(LabError) -> String {
    guard topology.members.contains(member) else {
      let known = topology.members.joined(separator: ", ")
      throw LabError(.unknown, "Lab \(name) has no member \(member); it has \(known).")
    }
    return fabric.namespace(member)
  }

  /// A command that runs inside a member's namespace.
  public func command(
    in member: String, _ words: [String], input: String = "", seconds: Int = 60
  ) throws(LabError) -> ExternalCommand {
    ExternalCommand(words, input: input, seconds: seconds).inside(try namespace(of: member))
  }

  /// Runs a command inside a member's namespace.
  public func run(in member: String, _ words: String...) async throws(LabError) -> CommandResult {
    try await command(in: member, words).run()
  }

  /// The files that say what a member's processes had to say, newest last.
  public func logs(of member: String) throws(LabError) -> [String] {
    _ = try namespace(of: member)
    let own = directory(of: member)
    let below = (try? FileManager.default.subpathsOfDirectory(atPath: own)) ?? []
    return below.filter { $0 == "log" || $0.hasSuffix("/log") || $0.hasSuffix(".log") }.sorted()
      .map { "\(own)/\($0)" }
  }

  // MARK: Agents

  /// Starts the agent of a node that has none running.
  public mutating func start(_ node: String) async throws(LabError) {
    let machine = try machine(node)
    if let agent = agent(of: node), agent.isRunning {
      throw LabError(.taken, "The agent of \(node) runs already, as process \(agent.pid).")
    }
    let own = directory(of: node)
    let data = "\(own)/data"
    try StateFiles.makeDirectory(data)
    let configuration = AgentConfiguration(
      machine: machine, topology: topology, dataDirectory: data, certificates: certificates)
    try StateFiles.write(configuration.text, to: "\(own)/agent.yaml")
    let daemon = Daemon(
      member: node, duty: .agent, label: "agent", namespace: try namespace(of: node),
      words: [record.programs.agent, "--config", "\(own)/agent.yaml"], directory: data, log: "\(own)/log")
    let process = try await daemon.start()
    record.processes.removeAll { $0.member == node && $0.duty == .agent }
    record.processes.append(process)
    try record.save()
  }

  /// Ends the agent of a node politely; it has gone when this returns.
  public func stop(_ node: String) async throws(LabError) {
    try await end(node, with: SIGTERM, within: Limits.killMilliseconds)
  }

  /// Kills the agent of a node as a crash would: `kill -9`.
  public func kill(_ node: String) async throws(LabError) {
    try await end(node, with: SIGKILL, within: Limits.killMilliseconds)
  }

  private func end(_ node: String, with signal: Int32, within milliseconds: Int) async throws(LabError) {
    _ = try machine(node)
    guard let agent = agent(of: node), agent.isRunning else {
      throw LabError(.unknown, "The agent of \(node) does not run.")
    }
    agent.signal(signal)
    guard await Patience.wait(upTo: milliseconds, until: { !agent.isRunning }) else {
      throw LabError(
        .timeout, "The agent of \(node), process \(agent.pid), has not ended within \(milliseconds) ms.")
    }
  }

  /// The newest agent process of a node.
  public func agent(of node: String) -> RecordedProcess? {
    record.processes.last { $0.member == node && $0.duty == .agent }
  }

  private func machine(_ node: String) throws(LabError) -> Topology.Machine {
    guard let machine = topology.machine(node) else {
      let known = topology.machines.map(\.node.name).joined(separator: ", ")
      throw LabError(.unknown, "Lab \(name) has no node \(node) with an agent; it has \(known).")
    }
    return machine
  }

  // MARK: Servers in VMs

  /// Kills the servers of a VM, as if they had crashed.
  public func stopServers(of guest: String) async throws(LabError) {
    let servers = record.processes.filter { $0.member == guest && $0.duty == .server && $0.isRunning }
    for server in servers { server.signal(SIGKILL) }
    _ = await Patience.wait(upTo: Limits.killMilliseconds) { !servers.contains(where: \.isRunning) }
  }

  /// Starts the servers of a VM that do not run.
  public mutating func startServers(of guest: String) async throws(LabError) {
    for server in GuestServer.all(of: topology) where server.guest == guest {
      let running = record.processes.contains {
        $0.member == guest && $0.label == server.label && $0.isRunning
      }
      if running { continue }
      let process = try await server.start(
        in: try namespace(of: guest), directory: directory(of: guest), programs: record.programs)
      record.processes.removeAll { $0.member == guest && $0.label == server.label }
      record.processes.append(process)
      try record.save()
    }
  }
}
