import Foundation
import Glibc
import Testing

@testable import Lab

@Suite("Life of a lab", .enabled(if: LabBench.isRoot, "needs root"), .serialized)
struct LabLifeTests {
  @Test func upStatusExecDown() async throws {
    let bench = try LabBench()
    try await bench.run {
      let lab = try await Lab.up(bench.plan()) { _ in }
      let status = lab.status
      #expect(status.isComplete)
      #expect(status.nodes.map(\.kind) == ["router", "client", "mux", "host"])
      #expect(status.nodes.map(\.isRunning) == [true, nil, true, true])
      #expect(status.vms.map(\.host) == ["host1"])
      #expect(status.vms[0].namespace == "\(bench.names[0])-blue-1")
      #expect(bench.namespaces().count == 5)
      let ping = try await lab.run(in: "client", "ping", "-c", "1", "-W", "2", "10.1.11.2")
      #expect(ping.succeeded, "\(ping.errors)")
      let route = try await lab.run(in: "router", "ip", "route", "get", "10.64.1.1")
      #expect(route.output.contains("via 10.1.11.2 dev to-host1"))
      #expect(try await lab.run(in: "host1", "sh", "-c", "exit 7").status == 7)
      let log = try #require(try lab.logs(of: "mux1").first)
      #expect(try String(contentsOfFile: log, encoding: .utf8).hasPrefix("started --config "))
      let answer = try await lab.control(["get", "nodes"]).check()
      #expect(answer == "10.1.1.2:4600 get nodes\n")
      #expect(try await Lab.down(lab.name))
      bench.expectNoTraces(processes: lab.record.processes)
      #expect(try await !Lab.down(lab.name))
    }
  }

  @Test func twoLabsSideBySide() async throws {
    let bench = try LabBench(2)
    try await bench.run {
      let first = try await Lab.up(bench.plan(0)) { _ in }
      let second = try await Lab.up(bench.plan(1)) { _ in }
      #expect(bench.namespaces(0).count == 5)
      #expect(bench.namespaces(1).count == 5)
      #expect(try await Lab.down(first.name))
      bench.expectNoTraces(0, processes: first.record.processes)
      #expect(second.record.processes.filter { !$0.isRunning } == [])
      #expect(try await second.run(in: "client", "ping", "-c", "1", "-W", "2", "10.1.1.2").succeeded)
    }
  }

  @Test func agentsStartAndEndOneByOne() async throws {
    let bench = try LabBench()
    try await bench.run {
      var lab = try await Lab.up(bench.plan()) { _ in }
      let before = try #require(lab.agent(of: "mux1"))
      try await lab.kill("mux1")
      #expect(!before.isRunning)
      #expect(try Lab(named: lab.name).status.nodes[2].isRunning == false)
      await #expect(throws: LabError.self) { try await lab.kill("mux1") }
      try await lab.start("mux1")
      let after = try #require(lab.agent(of: "mux1"))
      #expect(after.isRunning && after.pid != before.pid)
      await #expect(throws: LabError.self) { try await lab.start("mux1") }
      await #expect(throws: LabError.self) { try await lab.stop("client") }
      try await lab.stop("mux1")
      #expect(!after.isRunning)
    }
  }

  @Test func downAfterEverythingWasKilled() async throws {
    let bench = try LabBench()
    try await bench.run {
      let lab = try await Lab.up(bench.plan()) { _ in }
      for process in lab.record.processes { process.signal(SIGKILL) }
      #expect(try await Lab.down(lab.name))
      bench.expectNoTraces(processes: lab.record.processes)
    }
  }

  @Test func downEndsProcessesThatIgnoreSIGTERM() async throws {
    let bench = try LabBench()
    try await bench.run {
      let lab = try await Lab.up(bench.plan()) { _ in }
      let stubborn = Daemon(
        member: "host1", duty: .measurement, label: "stubborn", namespace: try lab.namespace(of: "host1"),
        words: ["sh", "-c", "trap '' TERM; while true; do sleep 1; done"], directory: "/", log: "/dev/null")
      let process = try await stubborn.start()
      try await Task.sleep(for: .milliseconds(200))
      #expect(try await Lab.down(lab.name))
      bench.expectNoTraces(processes: [process])
    }
  }

  @Test("`up` killed half-way leaves a lab that `down` removes", arguments: [50, 200, 500])
  func downAfterHalfAnUp(milliseconds: Int) async throws {
    let bench = try LabBench()
    try await bench.run {
      let file = "\(bench.programs)/topology.yaml"
      try TopologyTests.good.write(toFile: file, atomically: true, encoding: .utf8)
      let up = ExternalCommand([
        "timeout", "-s", "KILL", "\(Double(milliseconds) / 1000)", try Programs.locate("ananta-lab"), "up",
        "--name",
        bench.names[0], "--topology", file, "--bin", bench.programs, "--no-manifests",
      ])
      _ = try await up.run()
      _ = try await Lab.down(bench.names[0])
      bench.expectNoTraces()
    }
  }

  @Test func interruptedUpLeavesNothing() async throws {
    let bench = try LabBench()
    try await bench.run {
      let plan = try bench.plan()
      let task = Task { try await Lab.up(plan) { _ in } }
      try await Task.sleep(for: .milliseconds(300))
      task.cancel()
      if case .success = await task.result { try await Lab.down(plan.name) }
      bench.expectNoTraces()
    }
  }

  @Test func refusesWhatIsTaken() async throws {
    let bench = try LabBench()
    try await bench.run {
      let namespace = "\(bench.names[0])-host1"
      try await ExternalCommand(["ip", "netns", "add", namespace]).check()
      let inode = Namespaces.inode(of: namespace)
      let plan = try bench.plan()
      do throws(LabError) {
        _ = try await Lab.up(plan) { _ in }
        Issue.record("built over a namespace that is not the lab's")
      } catch {
        #expect(error.code == .taken)
        #expect(error.reason.contains(namespace) && error.reason.contains("ip netns del"))
      }
      #expect(Namespaces.inode(of: namespace) == inode)
      try await ExternalCommand(["ip", "netns", "del", namespace]).check()
      _ = try await Lab.up(bench.plan()) { _ in }
      await #expect(throws: LabError.self) { try await Lab.up(bench.plan()) { _ in } }
      #expect(bench.namespaces().count == 5)
    }
  }

  @Test func touchesNoNamespaceOfAnother() async throws {
    let bench = try LabBench()
    try await bench.run {
      let lab = try await Lab.up(bench.plan()) { _ in }
      let namespace = "\(lab.name)-blue-1"
      // Somebody removes a namespace of the lab and makes his own of the same name.
      try await ExternalCommand(["ip", "netns", "del", namespace]).check()
      try await ExternalCommand(["ip", "netns", "add", namespace]).check()
      #expect(try await Lab.down(lab.name))
      #expect(bench.namespaces() == [namespace])
      try await ExternalCommand(["ip", "netns", "del", namespace]).check()
    }
  }

  @Test func aFailedUpLeavesNothing() async throws {
    let bench = try LabBench()
    try await bench.run {
      var plan = try bench.plan()
      plan.programs.agent = "/bin/false"
      plan.extent = .withoutServices
      let standing = plan
      await #expect(throws: LabError.self) { try await Lab.up(standing) { _ in } }
      bench.expectNoTraces()
    }
  }
}
