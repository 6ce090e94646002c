import Control
import Foundation
import Testing

@testable import Lab

/// What must survive: configuration that was acknowledged, and traffic while nobody configures.
@Suite(
  "Claims of the control plane", .enabled(if: LabBench.isRoot, "needs root"),
  .enabled(if: (try? Programs.find()) != nil, "needs ananta-agent and ananta-ctl"), .serialized)
struct ManagerCrashTests {
  /// A service of its own VIP, so that each apply adds exactly one thing.
  private static func manifest(_ number: Int) -> String {
    """
    kind: Service
    metadata: {name: extra-\(number)}
    spec:
      vip: 203.0.113.\(100 + number)
      endpoints:
        - protocol: tcp
          port: 80
          backendPort: 8080
          backends: [{vm: blue-1}]
    """
  }

  /// Applies a service of a number; whether the manager acknowledged it.
  private static func apply(_ number: Int, to lab: Lab) async throws -> Bool {
    var command = try lab.control(["apply", "-f", "-", "--timeout", "3s"])
    command.input = manifest(number)
    return try await command.run().succeeded
  }

  /// All managers at once, as when the power fails.
  @Test(arguments: [1, 5]) func whatWasAcknowledgedSurvivesKill9(managers: Int) async throws {
    try await ClaimsTests.inLab(managers: managers) { lab, scene in
      let victims = lab.topology.machines(with: .manager).map(\.node.name)
      #expect(victims.count == managers)
      let standing = lab
      var killing: Task<Void, any Error>?
      var acknowledged: Set<Int> = []
      try await withThrowingTaskGroup(of: (Int, Bool).self) { group in
        for number in 0..<100 {
          if number >= 4, let (done, isAcknowledged) = try await group.next(), isAcknowledged {
            acknowledged.insert(done)
          }
          if acknowledged.count == 30, killing == nil {
            killing = Task { for victim in victims { try await standing.kill(victim) } }
          }
          group.addTask { (number, try await Self.apply(number, to: standing)) }
        }
        for try await (done, isAcknowledged) in group where isAcknowledged { acknowledged.insert(done) }
      }
      try await killing?.value
      #expect(acknowledged.count >= 30 && acknowledged.count < 100, "killed in the middle")

      if managers == 1 {
        // Nobody configures, and traffic goes on.
        let load = ConnectLoad(address: scene.web.vip, port: scene.web.endpoint.port, count: 300)
        #expect(try await lab.connect(from: scene.client.name, load).failures == [])
      }

      for victim in victims { try await lab.start(victim) }
      try await lab.awaitManager()
      let listing = try await lab.control(["get", "services", "-o", "name"]).check()
      for number in acknowledged {
        #expect(listing.contains("service/extra-\(number)\n"), "extra-\(number) was acknowledged and is gone")
      }
      #expect(try await Self.apply(100, to: lab), "the manager works as before")
    }
  }

  @Test func aWrongManifestChangesNothing() async throws {
    try await ClaimsTests.inLab { lab, _ in
      let before = try await lab.control(["get", "all", "-o", "yaml"]).check()
      var command = try lab.control(["apply", "-f", "-"])
      command.input =
        Self.manifest(1) + "\n---\n" + Self.manifest(2).replacing("{vm: blue-1}", with: "{vm: nobody}")
      let result = try await command.run()
      #expect(!result.succeeded)
      #expect(result.errors.contains("spec.endpoints[0].backends[0].vm"), "\(result.errors)")
      #expect(try await lab.control(["get", "all", "-o", "yaml"]).check() == before)
    }
  }

  /// The VM's device outlives the agent, and any packet of a connection brings its flow back.
  @Test func connectionsOutliveTheHostsAgent() async throws {
    try await ClaimsTests.inLab { lab, scene in
      let hold = HoldLoad(
        address: scene.web.vip, port: scene.web.endpoint.port, count: 60, seconds: 8)
      let standing = lab
      let client = scene.client.name
      let holding = Task { try await standing.hold(from: client, hold) }
      try await Task.sleep(for: .milliseconds(2_000))
      let host = scene.hosts[0].node.name
      try await lab.kill(host)
      try await lab.start(host)
      let report = try await holding.value
      let reasons = report.connections.compactMap(\.reason)
      #expect(report.connections.count == 60)
      #expect(report.connections.filter { $0.broke != nil }.isEmpty, "\(reasons.prefix(3))")
    }
  }
}
