import Foundation

/// Where the programs lie that the lab runs on its nodes.
public struct Programs: Codable, Hashable, Sendable {
  /// The agent.
  public var agent: String
  /// The operator's tool.
  public var control: String
  /// This program, which also makes traffic.
  public var lab: String

  /// Describes where the programs lie.
  public init(agent: String, control: String, lab: String) {
    self.agent = agent
    self.control = control
    self.lab = lab
  }

  /// Looks for the programs in a directory, then beside the own executable, then in PATH.
  public static func find(in directory: String? = nil) throws(LabError) -> Programs {
    Programs(
      agent: try locate("ananta-agent", in: directory), control: try locate("ananta-ctl", in: directory),
      lab: try locate("ananta-lab", in: directory))
  }

  /// Looks for one program in a directory, then beside the own executable, then in PATH.
  public static func locate(_ name: String, in directory: String? = nil) throws(LabError) -> String {
    var places: [String] = []
    if let directory { places.append(absolute(directory)) }
    let own = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    if let own { places.append(URL(fileURLWithPath: own).deletingLastPathComponent().path) }
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin"
    places += path.split(separator: ":").map(String.init)
    let found = places.lazy.map { "\($0)/\(name)" }.first { isProgram($0) }
    if let found { return found }
    throw LabError(
      .missing, "\(name) was not found; build it (`make release`) or name its directory with --bin.")
  }

  private static func absolute(_ path: String) -> String {
    URL(fileURLWithPath: path).standardizedFileURL.path
  }

  private static func isProgram(_ path: String) -> Bool {
    FileManager.default.isExecutableFile(atPath: path)
  }
}
