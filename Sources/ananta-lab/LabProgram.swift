import ArgumentParser
import Lab

/// A data centre of network namespaces on this machine, to try Ananta in.
@main
struct LabProgram: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ananta-lab",
    abstract: "Build a data centre of network namespaces and try Ananta in it.",
    subcommands: [
      UpCommand.self, DownCommand.self, StatusCommand.self, ExecCommand.self, ControlCommand.self,
      LogsCommand.self, StartCommand.self, StopCommand.self, KillCommand.self, DemoCommand.self,
      BenchCommand.self, MeasureCommand.self, SNATCommand.self, ChaosCommand.self, TrafficCommand.self,
      OperateCommand.self,
    ])
}

/// Which lab a command is about.
struct LabOption: ParsableArguments {
  @Option(help: "Name of the lab; its namespaces are called NAME-NODE.")
  var name = "ananta"
}

/// What a lab is built from.
struct PlanOptions: ParsableArguments {
  @Option(help: "File that describes the lab; deploy/lab/small.yaml if left out.")
  var topology: String?

  @Option(name: .customLong("bin"), help: "Directory of ananta-agent and ananta-ctl.")
  var programs: String?

  @Flag(
    name: .customLong("no-offload"), help: "Compute all checksums and segments in software, for captures.")
  var withoutOffload = false

  /// Reads the topology and finds the programs.
  func plan(name: String, extent: Extent = .everything, isForDemo: Bool = false) throws -> LabPlan {
    let file = topology ?? TopologyReader.defaultFile
    var topology = try TopologyReader.read(path: file)
    if withoutOffload { topology.offload = false }
    return LabPlan(
      name: name, topologyFile: file, topology: topology, programs: try Programs.find(in: programs),
      extent: extent, isForDemo: isForDemo)
  }
}

/// How results are written.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
  case table, json
}
