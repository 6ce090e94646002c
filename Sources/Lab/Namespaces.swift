import Foundation

/// Network namespaces as `ip netns` names them.
enum Namespaces {
  /// Where `ip netns` keeps its names.
  static let directory = "/run/netns"

  /// The namespace's inode, which no other living namespace has; nil if there is none of that name.
  static func inode(of name: String) -> UInt64? {
    let attributes = try? FileManager.default.attributesOfItem(atPath: "\(directory)/\(name)")
    return (attributes?[.systemFileNumber] as? NSNumber)?.uint64Value
  }

  /// Every process that was started with a variable of this value: `NAME=VALUE`.
  static func processes(withEnvironment variable: String) -> [Int32] {
    let wanted = Array(variable.utf8)
    return everyProcess.filter { pid in
      guard let data = FileManager.default.contents(atPath: "/proc/\(pid)/environ") else { return false }
      return data.split(separator: 0).contains { $0.elementsEqual(wanted) }
    }
  }

  private static var everyProcess: [Int32] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return names.compactMap { Int32($0) }.sorted()
  }

  /// Every process in one of the namespaces, in one pass; `ip netns pids` does the same for one.
  static func processes(in inodes: Set<UInt64>) -> [Int32] {
    let links = Set(inodes.map { "net:[\($0)]" })
    return everyProcess.filter { pid in
      let link = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/ns/net")
      guard let link, links.contains(link) else { return false }
      return RecordedProcess.startTime(of: pid) != nil
    }
  }
}
