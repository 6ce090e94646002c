import ArgumentParser
import Control
import Foundation
import Lab
import Logging
import Synchronization
import Transport
import Wire

/// Speaks to the managers as one host, and asks for ports for all its VMs, far more often than any host does.
final class PortFlood: Sendable {
  private struct State {
    var report = PortFloodReport()
    var node = NodeState()
    var locators: [IPv4Address] = []
    /// When each VM may be asked for again; without a rate.
    var next: [IPv4Address: ContinuousClock.Instant] = [:]
    /// How often one was asked for, with a rate: they take turns.
    var turns = 0
  }

  private let state = Mutex(State())
  private let node: String
  private let perSecond: Int
  private let seconds: Int
  private let link: ManagerLink
  private let clock = ContinuousClock()
  /// As patient as a host is.
  private static let patience = Duration.seconds(5)

  /// Without a rate, each VM has one request under way all the time, as hosts have it.
  init(_ managers: OperatorAccess, node: String, perSecond: Int, seconds: Int) {
    self.node = node
    self.perSecond = perSecond
    self.seconds = seconds
    let hello = Hello(node: node, roles: [.host], epoch: Epoch(0), revision: Revision(0))
    link = managers.link { hello }
  }

  /// Asks until time is over.
  func run() async throws -> PortFloodReport {
    let speaking = Task { await link.run { self.handle($0) } }
    defer { speaking.cancel() }
    let isKnown = await Patience.wait(upTo: 20_000) { !self.locators.isEmpty }
    guard isKnown else { throw LabError(.timeout, "The managers tell node \(node) of no VM.") }
    let began = clock.now
    state.withLock { $0.report = PortFloodReport() }
    while clock.now < began + .seconds(seconds) {
      // One that waits still in the link's queue is joined, and no manager hears of it.
      let sent = due(since: began).count { link.report(.portRequest(PortRequest(locator: $0))) }
      state.withLock { $0.report.sent += sent }
      try await Task.sleep(for: .milliseconds(2))
    }
    let elapsed = (clock.now - began) / .seconds(1)
    return state.withLock { state in
      state.report.seconds = elapsed
      return state.report
    }
  }

  private var locators: [IPv4Address] { state.withLock { $0.locators } }

  /// The VMs to be asked for now.
  private func due(since began: ContinuousClock.Instant) -> [IPv4Address] {
    let now = clock.now
    return state.withLock { state in
      var due: [IPv4Address] = []
      guard !state.locators.isEmpty else { return due }
      if perSecond > 0 {
        let target = Int((now - began) / .seconds(1) * Double(perSecond))
        let count = min(max(0, target - state.report.sent), state.locators.count)
        due = (0..<count).map { state.locators[(state.turns + $0) % state.locators.count] }
        state.turns += count
      } else {
        due = state.locators.filter { state.next[$0] ?? now <= now }
        for locator in due { state.next[locator] = now + Self.patience }
      }
      return due
    }
  }

  private func handle(_ event: ManagerLink.Event) {
    switch event {
    case .connected: state.withLock { $0.report.streams += 1 }
    case .disconnected: return
    case .portRefusal(let refusal):
      let again = clock.now + .milliseconds(Int(refusal.retryAfterMilliseconds))
      state.withLock { state in
        state.report.refused[refusal.reason.rawValue, default: 0] += 1
        state.next[refusal.locator] = again
      }
    case .update(let update): take(update)
    }
  }

  /// Does as a host does, and gives back at once what it got, so that there is always something to be leased.
  private func take(_ update: Update) {
    let leases = update.commands.compactMap { command -> PortLease? in
      switch command {
      case .leasePortRange(let lease), .recallPortRange(let lease): lease
      default: nil
      }
    }
    state.withLock { state in
      _ = state.node.apply(update)
      state.locators = state.node.machines.keys.sorted()
      guard !update.isSnapshot else { return }
      let answered = Set(leases.map(\.locator))
      for locator in answered { state.next[locator] = nil }
      state.report.leased += answered.count
      state.report.ranges += leases.count
    }
    link.report(.acknowledged(update.revision, update.epoch))
    if !leases.isEmpty { link.report(.portsReturned(leases)) }
  }
}

extension OperateCommand {
  /// Requests for ports without end.
  struct Ports: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Ask for ports in the name of a host.")
    @Option(help: "The node.") var node: String
    @Option(help: "PEM file of its certificate.") var certificate: String?
    @Option(help: "PEM file of its key.") var key: String?
    @Option(help: "Requests per second; 0 for as many as can be.") var perSecond = 0
    @Option(help: "How long.") var seconds = 5

    func run() async throws {
      let managers = try OperatorAccess.fromEnvironment(certificate: certificate, key: key)
      let flood = PortFlood(managers, node: node, perSecond: perSecond, seconds: seconds)
      try Console.write(json: await flood.run())
    }
  }

  /// What nodes keep of leased ports.
  struct Leases: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Read the leased ports in agents' files.")
    @Argument(help: "NODE=FILE.") var files: [String]

    func run() async throws {
      let kept = files.compactMap { text -> KeptPorts? in
        let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
        guard parts.count == 2, let data = FileManager.default.contents(atPath: parts[1]) else { return nil }
        return NodeJournal.ports(of: parts[0], in: [UInt8](data))
      }
      try Console.write(json: kept)
    }
  }
}

/// An agent's `node-state.journal`: length and sum before each record, of four octets with the lowest first; the
/// length's highest bit says that the record was synced.
enum NodeJournal {
  private static let headerBytes = 8

  /// What the records lead to; one that is still being written ends them.
  static func ports(of node: String, in octets: [UInt8]) -> KeptPorts {
    var state = NodeState()
    var returned: Set<PortLease> = []
    var start = 0
    while octets.count - start >= headerBytes {
      let length = (0..<4).reduce(0) { $0 | Int(octets[start + $1]) << (8 * $1) } & 0x7fff_ffff
      let first = start + headerBytes
      guard length <= octets.count - first,
        let record = try? NodeRecord(octets: Array(octets[first..<first + length]))
      else { break }
      switch record {
      case .update(let update):
        _ = state.apply(update)
        for case .endPortRange(let lease) in update.commands { returned.remove(lease) }
      case .portsReturned(let leases): returned.formUnion(leases)
      }
      start = first + length
    }
    let leases = state.leases.flatMap { locator, ranges in ranges.keys.map { PortLease($0, to: locator) } }
    return KeptPorts(
      node: node, leases: leases.filter { !returned.contains($0) }.sorted(),
      ranges: state.portRanges.map { PortLease($0.key, to: $0.value) }.sorted())
  }
}
