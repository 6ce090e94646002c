import ArgumentParser
import Lab

/// Measures bulk data through VIPs beside plain routing.
struct BenchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Build a lab and measure bulk data through its VIPs, in turn with plain routing.",
    discussion: """
      The table compares medians with plain forwarding by the same nodes: client, router, MUX, router, host, and a
      namespace behind a veth pair. Routing straight to the host, two hops less, is beside it.
      """)
  @OptionGroup var lab: LabOption
  @Option(help: "File that describes the lab; deploy/lab/bulk.yaml if left out.")
  var topology = "deploy/lab/bulk.yaml"
  @Option(name: .customLong("bin"), help: "Directory of ananta-agent and ananta-ctl.")
  var programs: String?
  @Option(help: "How often each is measured.")
  var rounds = 5
  @Option(help: "How long each run takes, in seconds.")
  var seconds = 2
  @Option(help: "How many TCP streams at once.")
  var streams: [Int] = [1, 4]
  @Option(help: "The way of every MUX: auto, xdp, tc or userSpace; the topology's if left out.")
  var path: String?
  @Option(name: [.customShort("o"), .customLong("output")], help: "table or json.")
  var format = OutputFormat.table

  func validate() throws {
    guard (1...100).contains(rounds) else { throw ValidationError("--rounds is 1 to 100.") }
    guard (1...60).contains(seconds) else { throw ValidationError("--seconds is 1 to 60.") }
    guard !streams.isEmpty, streams.allSatisfy({ (1...128).contains($0) }) else {
      throw ValidationError("--streams is 1 to 128.")
    }
  }

  func run() async throws {
    var topology = try TopologyReader.read(path: topology)
    if let path { try topology.choose(path: path) }
    let plan = LabPlan(
      name: lab.name, topologyFile: self.topology, topology: topology,
      programs: try Programs.find(in: programs),
      isForDemo: true)
    let (streams, rounds, seconds) = (streams, rounds, seconds)
    let result = try await Interruptible.run {
      var lab = try await Lab.up(plan) { Console.tell($0) }
      let measured: Result<BulkBenchmark, any Error>
      do {
        measured = .success(
          try await BulkBenchmark.take(in: &lab, streams: streams, rounds: rounds, seconds: seconds) {
            Console.tell($0)
          })
      } catch {
        measured = .failure(error)
      }
      let name = plan.name
      // Cancellation must not keep the lab, and what keeps it must not keep what was measured.
      let removal = await Task { _ = try await Lab.down(name) }.result
      if case .failure(let error) = removal { Console.tell("\(error)") }
      return try measured.get()
    }
    switch format {
    case .table: Console.write(result.table)
    case .json: try Console.write(json: result)
    }
  }
}
