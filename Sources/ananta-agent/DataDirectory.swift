internal import Foundation

/// Where an agent keeps what must survive it: the replica's disk, the last state, with the keys of datagrams in it.
enum DataDirectory {
  /// Creates the directory if it is missing, and closes it to all but its owner.
  static func prepare(_ path: String) throws(AgentError) {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: path)
    } catch {
      throw .platform("\(path) cannot be made the agent's own directory: \(error); correct `dataDirectory`")
    }
  }
}
