import Foundation
import Testing

@testable import Lab

/// The program `ananta-lab` as an operator runs it.
@Suite("ananta-lab", .enabled(if: LabBench.isRoot, "needs root"), .serialized)
struct ProgramTests {
  private func run(_ arguments: String...) async throws -> CommandResult {
    try await ExternalCommand([try Programs.locate("ananta-lab")] + arguments).run()
  }

  @Test func passesExitStatusOnAndShowsJSON() async throws {
    let bench = try LabBench()
    try await bench.run {
      let name = bench.names[0]
      let topology = "\(bench.programs)/topology.yaml"
      try TopologyTests.good.write(toFile: topology, atomically: true, encoding: .utf8)
      let up = try await run(
        "up", "--name", name, "--topology", topology, "--bin", bench.programs, "--no-manifests")
      #expect(up.succeeded, "\(up.errors)")
      #expect(up.output.contains("blue-1"))
      #expect(up.errors.contains("router: FRR"))
      #expect(try await run("exec", "--name", name, "blue-1", "--", "sh", "-c", "exit 42").status == 42)
      let echo = try await run("exec", "--name", name, "client", "--", "echo", "--name", "x")
      #expect(echo.output == "--name x\n")
      #expect(
        try await run("ctl", "--name", name, "--", "get", "nodes").output == "10.1.1.2:4600 get nodes\n")
      #expect(try await run("logs", "--name", name, "host1").output.contains("started --config"))
      let json = try await run("status", "--name", name, "-o", "json")
      let status = try JSONDecoder().decode(LabStatus.self, from: Data(json.output.utf8))
      #expect(status == (try Lab(named: name).status))
      #expect(try await run("kill", "--name", name, "mux1").succeeded)
      #expect(try await run("start", "--name", name, "mux1").succeeded)
      #expect(try Lab(named: name).status.nodes[2].isRunning == true)
      #expect(try await run("down", "--name", name).succeeded)
      bench.expectNoTraces()
      let gone = try await run("status", "--name", name)
      #expect(!gone.succeeded)
      #expect(gone.errors.contains("There is no lab \(name)"))
    }
  }

  @Test func saysWhatIsMissing() async throws {
    let bench = try LabBench()
    try await bench.run {
      let name = bench.names[0]
      let topology = "\(bench.programs)/topology.yaml"
      try TopologyTests.good.replacing("vips", with: "wips").write(
        toFile: topology, atomically: true, encoding: .utf8)
      let bad = try await run("up", "--name", name, "--topology", topology, "--bin", bench.programs)
      #expect(!bad.succeeded)
      #expect(bad.errors.contains("topology.yaml:2: router.wips: unknown key"))
      let unknown = try await run("up", "--name", name, "--topology", "/nowhere.yaml")
      #expect(unknown.errors.contains("/nowhere.yaml cannot be read"))
      try TopologyTests.good.write(toFile: topology, atomically: true, encoding: .utf8)
      let nobody = try await ExternalCommand([
        "setpriv", "--reuid", "65534", "--clear-groups", try Programs.locate("ananta-lab"), "up", "--name",
        name,
        "--topology", topology, "--bin", bench.programs,
      ]).run()
      #expect(!nobody.succeeded)
      #expect(nobody.errors.contains("needs root"), "\(nobody.errors)")
      bench.expectNoTraces()
    }
  }

  @Test func interruptedUpCleansUp() async throws {
    let bench = try LabBench()
    try await bench.run {
      let topology = "\(bench.programs)/topology.yaml"
      try TopologyTests.good.write(toFile: topology, atomically: true, encoding: .utf8)
      // The manager never answers, so `up` waits until it is interrupted.
      try "#!/bin/sh\nexit 1\n".write(
        toFile: "\(bench.programs)/ananta-ctl", atomically: false, encoding: .utf8)
      let up = try await ExternalCommand([
        "timeout", "-s", "INT", "3", try Programs.locate("ananta-lab"), "up", "--name", bench.names[0],
        "--topology", topology, "--bin", bench.programs,
      ]).run()
      #expect(!up.succeeded)
      #expect(up.errors.contains("ananta-ctl apply"))
      bench.expectNoTraces()
    }
  }
}
