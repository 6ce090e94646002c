import Foundation

/// What a lab consists of and has created, on disk before it is created, so that `down` finds it after a crash.
public struct LabRecord: Codable, Sendable {
  /// A namespace that the lab creates.
  public struct Namespace: Codable, Hashable, Sendable {
    /// As `ip netns` names it.
    public var name: String
    /// Its inode; nil while it is being created.
    public var inode: UInt64?
  }

  /// The lab's name.
  public var name: String
  /// The file the topology was read from.
  public var topologyFile: String
  /// What the lab consists of.
  public var topology: Topology
  /// Where the programs were found.
  public var programs: Programs
  /// Whether `up` has come to its end.
  public var isComplete = false
  /// The namespaces.
  public var namespaces: [Namespace] = []
  /// The processes that were started; those that ended are among them.
  public var processes: [RecordedProcess] = []

  /// The directory below which every lab has one of its own.
  public static let root = "/run/ananta-lab"

  /// The directory of a lab.
  static func directory(_ name: String) -> String { "\(root)/\(name)" }

  /// The record's file.
  static func file(_ name: String) -> String { "\(directory(name))/lab.json" }

  /// Reads the record of a lab.
  static func load(_ name: String) throws(LabError) -> LabRecord {
    guard let data = FileManager.default.contents(atPath: file(name)) else {
      throw LabError(.unknown, "There is no lab \(name); `ananta-lab up --name \(name)` makes one.")
    }
    do {
      return try JSONDecoder().decode(LabRecord.self, from: data)
    } catch {
      let remedy = "`ananta-lab down --name \(name)` removes its directory"
      throw LabError(.state, "\(file(name)) is not a lab's record (\(error)); \(remedy).")
    }
  }

  /// Writes the record; a crash leaves the old one or the new one.
  func save() throws(LabError) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    do {
      try encoder.encode(self).write(to: URL(fileURLWithPath: Self.file(name)), options: .atomic)
    } catch {
      throw LabError(.state, "\(Self.file(name)) cannot be written: \(error).")
    }
  }
}
