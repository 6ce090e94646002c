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

  /// Every process in one of the namespaces, in one pass; `ip netns pids` does the same for one.
  static func processes(in inodes: Set<UInt64>) -> [Int32] {
    let links = Set(inodes.map { "net:[\($0)]" })
    let numbers = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return numbers.compactMap { Int32($0) }.sorted().filter { pid in
      let link = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/ns/net")
      guard let link, links.contains(link) else { return false }
      return RecordedProcess.startTime(of: pid) != nil
    }
  }
}
