import Control
import Foundation
import Testing

@testable import Lab

/// Faults done to agents that only sleep: whatever is done is undone.
@Suite("Faults", .enabled(if: LabBench.isRoot, "needs root"), .serialized)
struct ChaosFieldTests {
  static let topology = """
    security: plaintext
    router: {name: router, vips: [203.0.113.0/24]}
    clients:
      - {name: client, address: 198.51.100.10/24}
    nodes:
      - {name: a, address: 10.1.1.2/24, roles: [mux, manager]}
      - {name: b, address: 10.1.2.2/24, roles: [manager]}
      - {name: c, address: 10.1.3.2/24, roles: [manager]}
    """

  /// A lab, and a file that says that `b` leads now.
  private static func inField(_ body: (inout ChaosField, Lab) async throws -> Void) async throws {
    let bench = try LabBench()
    try await bench.run {
      var plan = try bench.plan()
      plan.topology = try TopologyReader.read(text: topology, file: "three.yaml")
      let lab = try await Lab.up(plan) { _ in }
      let sightings = "\(lab.directory)/sightings.jsonl"
      try JSONLines(appendingTo: sightings).append(
        ManagerSighting(
          // Far in the future, so that it is never too old.
          at: MonotonicTime.now + 3_600_000_000_000,
          status: ManagerStatus(
            node: "b", address: ManagerAddress(host: "10.1.2.2", port: 4600), replica: 2, role: .leader,
            isVoter: true, ballot: Epoch(3, replica: 2), committed: 9, snapshot: 0, seconds: 1,
            silentMilliseconds: 0)))
      var field = ChaosField(lab, sightings: sightings)
      try await body(&field, lab)
    }
  }

  private static func round(_ events: (ChaosFault, Int, Int)...) -> ChaosPlan.Round {
    ChaosPlan.Round(
      events: events.map { ChaosPlan.Event(fault: $0.0, after: $0.1, lasts: $0.2) }, rest: 0)
  }

  /// The state letter of `/proc/PID/stat`: S sleeps, T is stopped.
  private static func state(_ agent: RecordedProcess?) -> Character? {
    let text = agent.flatMap { try? String(contentsOfFile: "/proc/\($0.pid)/stat", encoding: .utf8) } ?? ""
    return text.split(separator: ")").last?.dropFirst().first
  }

  private static func tables(_ lab: Lab, _ node: String) async throws -> String {
    try await lab.command(in: node, ["nft", "list", "tables"]).check()
  }

  @Test func theLeaderIsKilledAndStartedAgain() async throws {
    try await Self.inField { field, lab in
      let before = ["a", "b", "c"].map { lab.agent(of: $0)?.pid }
      try await field.play(Self.round((.kill([.leader]), 0, 100)))
      let after = ["a", "b", "c"].map { field.lab.agent(of: $0)?.pid }
      #expect(before[0] == after[0] && before[1] != after[1] && before[2] == after[2])
      #expect(field.lab.agent(of: "b")?.isRunning == true)
      #expect(field.kills.map(\.isSolitary) == [true])
      try await field.play(Self.round((.kill([.leader, .manager(1), .manager(0)]), 0, 100)))
      #expect(field.kills.map(\.isSolitary) == [true, false])
      #expect(try await field.deserters() == [])
      #expect(field.counts == ["kill leader": 1, "kill 3": 1])
    }
  }

  @Test func whatOverlapsIsUndone() async throws {
    try await Self.inField { field, lab in
      try await field.play(
        Self.round(
          (.stop([.manager(0), .manager(2)]), 0, 700), (.cut(.gone(.leader)), 50, 200),
          (.cut(.split([2])), 100, 400), (.kill([.manager(0)]), 150, 250), (.kill([.manager(0)]), 300, 400)))
      for node in ["a", "b", "c"] {
        #expect(field.lab.agent(of: node)?.isRunning == true)
        #expect(Self.state(field.lab.agent(of: node)) != "T")
        #expect(try await Self.tables(lab, node) == "")
      }
    }
  }

  @Test func cutsDropWhatTheyShould() async throws {
    try await Self.inField { field, lab in
      let listener = Daemon(
        member: "a", duty: .measurement, label: "listener", namespace: try lab.namespace(of: "a"),
        words: ["python3", "-m", "http.server", "4600"], directory: "/", log: "/dev/null")
      _ = try await listener.start()
      func reaches(from member: String) async throws -> Bool {
        let words = [
          "curl", "--silent", "--max-time", "0.4", "--output", "/dev/null", "http://10.1.1.2:4600/",
        ]
        return try await lab.command(in: member, words).run().succeeded
      }
      #expect(try await Patience.wait(upTo: 10_000) { try await reaches(from: "client") })
      for (cut, isHeardByB, isHeardByClient) in [
        (.alone(.manager(0)), false, true), (.gone(.manager(0)), false, false),
        (.deaf(.manager(0)), false, true),
        (.mute(.manager(0)), false, true), (.split([1, 2]), false, true), (.alone(.manager(2)), true, true),
      ] as [(ChaosFault.Cut, Bool, Bool)] {
        let standing = field
        let playing = Task {
          var field = standing
          try await field.play(Self.round((.cut(cut), 0, 1_800)))
        }
        try await Task.sleep(for: .milliseconds(400))
        #expect(try await reaches(from: "b") == isHeardByB, "\(cut)")
        #expect(try await reaches(from: "client") == isHeardByClient, "\(cut)")
        try await playing.value
        #expect(try await reaches(from: "b"))
      }
    }
  }
}
