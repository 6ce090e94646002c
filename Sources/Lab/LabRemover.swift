import Foundation
import Glibc

extension Lab {
  /// Removes all traces of a lab, however it ended; false if there is none of that name.
  ///
  /// Touches only namespaces whose inode the record holds, processes inside these, and the lab's directory.
  @discardableResult
  public static func down(_ name: String) async throws(LabError) -> Bool {
    guard Field.isName(name, upTo: Limits.labNameLength) else { return false }
    let directory = LabRecord.directory(name)
    guard FileManager.default.fileExists(atPath: directory) else { return false }
    guard geteuid() == 0 else {
      throw LabError(.privilege, "Removing a lab needs root; run it with sudo.")
    }
    // Without a record, `up` ended before it created anything.
    guard FileManager.default.fileExists(atPath: LabRecord.file(name)) else {
      try StateFiles.remove(directory)
      return true
    }
    let record = try LabRecord.load(name)
    if !record.isComplete { await endBuilders(of: name) }
    let own = record.namespaces.filter { isOwn($0) }
    let inodes = Set(own.compactMap { Namespaces.inode(of: $0.name) })
    try await endProcesses(record, in: inodes)
    let lines = own.map { "netns del \($0.name)\n" }
    if !lines.isEmpty {
      try await ExternalCommand(["ip", "-batch", "-"], input: lines.joined()).check()
    }
    // What was started between the look and the removal is in a namespace without a name now.
    try await endProcesses(record, in: inodes)
    try await unmount(below: directory)
    try StateFiles.remove(directory)
    // The directory of all labs goes with the last one.
    _ = try await ExternalCommand(["rmdir", "--ignore-fail-on-non-empty", LabRecord.root]).run()
    return true
  }

  /// Lets go of the agents' bpffs, and with them of the programs' maps.
  private static func unmount(below directory: String) async throws(LabError) {
    guard let mounts = try? String(contentsOfFile: "/proc/self/mounts", encoding: .utf8) else { return }
    let points = mounts.split(separator: "\n").compactMap { line -> String? in
      let fields = line.split(separator: " ")
      guard fields.count > 2, fields[2] == "bpf", fields[1].hasPrefix(directory + "/") else { return nil }
      return String(fields[1])
    }
    for point in points { try await ExternalCommand(["umount", point]).check() }
  }

  /// Whether a namespace that exists is the one that the lab created.
  ///
  /// If `up` was killed between intention and record, it is the lab's if nobody has used it: no process inside.
  private static func isOwn(_ namespace: LabRecord.Namespace) -> Bool {
    guard let inode = Namespaces.inode(of: namespace.name) else { return false }
    if let recorded = namespace.inode { return recorded == inode }
    return Namespaces.processes(in: [inode]).isEmpty
  }

  /// A killed `up` may have left a child that still makes namespaces.
  private static func endBuilders(of name: String) async {
    await Patience.wait(upTo: Limits.killMilliseconds) {
      let builders = Namespaces.processes(withEnvironment: Fabric.mark(name))
      for pid in builders { _ = Glibc.kill(pid, SIGKILL) }
      return builders.isEmpty
    }
  }

  /// First politely, then not; a process that is started meanwhile is found by the next look.
  private static func endProcesses(_ record: LabRecord, in inodes: Set<UInt64>) async throws(LabError) {
    func remaining() -> [Int32] {
      Namespaces.processes(in: inodes) + record.processes.filter(\.isRunning).map(\.pid)
    }
    for pid in remaining() { _ = Glibc.kill(pid, SIGTERM) }
    if await Patience.wait(upTo: Limits.terminationMilliseconds, until: { remaining().isEmpty }) { return }
    let gone = await Patience.wait(upTo: Limits.killMilliseconds) {
      for pid in remaining() { _ = Glibc.kill(pid, SIGKILL) }
      return remaining().isEmpty
    }
    guard gone else {
      let left = remaining().map(String.init).joined(separator: ", ")
      throw LabError(
        .timeout, "Processes \(left) of lab \(record.name) do not end even when killed; try `down` again.")
    }
  }
}
