import Control
import Foundation
import Testing

@testable import Lab

/// What the control plane claims, with real agents: five managers, killed, stopped and cut off.
@Suite(
  "Claims of five managers", .enabled(if: LabBench.isRoot, "needs root"),
  .enabled(if: (try? Programs.find()) != nil, "needs ananta-agent and ananta-ctl"), .serialized)
struct ControlPlaneTests {
  private static func topology() throws -> Topology {
    let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    return try TopologyReader.read(path: "/\(root)/deploy/lab/small.yaml")
  }

  /// A short run of what `ananta-lab chaos --rounds 1000` does; the seed is printed with what it finds.
  @Test func clientsSeeOneOrderOfAllChanges() async throws {
    let bench = try LabBench()
    try await bench.run {
      let plan = LabPlan(
        name: bench.names[0], topologyFile: "small.yaml", topology: try Self.topology(),
        programs: try Programs.find(), extent: .withoutServices)
      let settings = Chaos.Settings(seed: .random(in: 0...UInt64(UInt32.max)), rounds: 20)
      let report = try await Chaos(plan: plan, settings: settings) { _ in }.run()
      #expect(report.findings == [], "\(report.text)")
      #expect(report.writes > 50 && report.reads > 50, "\(report.text)")
      #expect(report.faults.values.reduce(0, +) >= 20)
      bench.expectNoTraces()
    }
  }

  @Test func twoOfFiveManagersMayDie() async throws {
    try await ClaimsTests.inLab { lab, scene in
      let measured = try await QuorumMeasurement.take(in: &lab, scene: scene)
      #expect(measured.voters == 5 && measured.leaders.count == 1)
      #expect(measured.recoveryMilliseconds != nil)
      #expect(measured.survivedDeaths == 2 && measured.fatalDeaths == 3)
      #expect([2, 3].contains(measured.refusalStatus), "\(measured.refusal)")
      #expect(measured.returnMilliseconds != nil)
      #expect(measured.attemptedAlone == 500 && measured.failedAlone == 0)
    }
  }

  @Test func operatorsSeeAndMoveTheManagers() async throws {
    try await ClaimsTests.inLab { lab, _ in
      let names = lab.topology.machines(with: .manager).map(\.node.name)
      let managers = try await lab.managers()
      #expect(managers.map(\.node).sorted() == names.sorted())
      #expect(managers.allSatisfy { $0.voter })
      let leader = try #require(await lab.leader())
      for heir in names.filter({ $0 != leader }).prefix(2) {
        try await lab.control(["managers", "transfer", heir]).check()
        #expect(await lab.leader() == heir)
      }
      try await lab.control(["managers", "remove", "host3"]).check()
      let learners = try await lab.managers().filter { !$0.voter }.map(\.node)
      #expect(learners == ["host3"])
      try await lab.control(["managers", "add", "host3"]).check()
      let voters = try await lab.managers().filter(\.voter)
      #expect(voters.count == 5)
      let unknown = try await lab.control(["managers", "add", "nobody"]).run()
      #expect(unknown.status == 1 && unknown.errors.contains("nobody"), "\(unknown.errors)")
      let events = try await lab.control(["events"]).check()
      let lines = events.split(separator: "\n").suffix(4)
      #expect(lines.allSatisfy { $0.contains("  admin  ") }, "\(events)")
      #expect(lines.last?.hasSuffix("added the manager of host3") == true, "\(events)")
    }
  }

  /// The paper's accident (Ananta §6): the primary sleeps, others take over, it wakes and is obeyed by nobody.
  @Test func aPrimaryThatSleepsIsLeft() async throws {
    try await ClaimsTests.inLab { lab, _ in
      let sleeper = try #require(await lab.leader())
      let agent = try #require(lab.agent(of: sleeper))
      let others = lab.topology.machines.map(\.node.name).filter { $0 != sleeper }
      agent.signal(SIGSTOP)
      defer { agent.signal(SIGCONT) }
      // Its kernel goes on taking what agents say; they have to find out that nobody answers.
      var missing: [String] = others
      #expect(
        try await Patience.wait(upTo: 30_000) {
          let nodes = try await lab.control(["get", "nodes"]).run().output.split(separator: "\n")
          missing = others.filter { name in
            !nodes.contains { $0.hasPrefix(name) && $0.contains(" connected ") }
          }
          return missing.isEmpty
        }, "still with \(sleeper): \(missing)")
      var change = try lab.control(["apply", "-f", "-"])
      change.input = "kind: VirtualNetwork\nmetadata: {name: awake}\nspec: {prefixes: [10.0.0.0/24]}\n"
      try await change.check()
      #expect(await lab.leader() != sleeper)
      agent.signal(SIGCONT)
      // All nodes run what the new primary says, also the one of the old.
      change = try lab.control(["apply", "-f", "-", "--wait", "--timeout", "30s"])
      change.input = "kind: VirtualNetwork\nmetadata: {name: awake}\nspec: {prefixes: [10.0.1.0/24]}\n"
      try await change.check()
    }
  }

  @Test func certificatesDecideWhoMayDoWhat() async throws {
    try await ClaimsTests.inLab { lab, _ in
      let change = ["apply", "-f", "\(lab.directory)/manifests/fabric.yaml"]
      func asked(by name: String, _ arguments: [String]) async throws -> CommandResult {
        let files = lab.certificates.files(of: name)
        return try await lab.control(
          arguments + ["--ca", files.authority, "--certificate", files.certificate, "--key", files.key]
        ).run()
      }
      #expect(try await asked(by: LabCertificates.observer, ["get", "nodes"]).succeeded)
      #expect(try await asked(by: LabCertificates.observer, change + ["--dry-run"]).succeeded)
      let refused = try await asked(by: LabCertificates.observer, change)
      #expect(refused.status == 1, "\(refused.errors)")
      #expect(refused.errors.contains("read-only"), "\(refused.errors)")
      // A node speaks for itself alone, and for nobody who configures.
      #expect(try await asked(by: "host1", change).status == 1)
      #expect(try await asked(by: LabCertificates.administrator, change).succeeded)
    }
  }
}
