import Foundation
import Glibc
import Testing

@testable import Lab

/// Labs for tests: own names, agents that only sleep, and no traces afterwards.
struct LabBench {
  /// Whether this process may make namespaces.
  static var isRoot: Bool { geteuid() == 0 }

  /// Names that no other test run on this machine uses.
  let names: [String]
  /// Where the agents that only sleep lie.
  let programs: String

  /// Prepares so many names.
  init(_ count: Int = 1) throws {
    let unique = UInt32.random(in: 0..<0xffff_ffff)
    names = (0..<count).map { "lab-\(String(unique, radix: 36))-\($0)" }
    programs = "/tmp/\(names[0])-bin"
    try FileManager.default.createDirectory(atPath: programs, withIntermediateDirectories: true)
    try script("ananta-agent", "echo started \"$@\" >&2; exec sleep 10000")
    try script("ananta-ctl", "echo \"$ANANTA_MANAGERS\" \"$@\"")
  }

  private func script(_ name: String, _ text: String) throws {
    let path = "\(programs)/\(name)"
    try "#!/bin/sh\n\(text)\n".write(toFile: path, atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
  }

  /// A plan whose agents only sleep and to which nothing is applied.
  func plan(_ index: Int = 0) throws -> LabPlan {
    let topology = try TopologyReader.read(text: TopologyTests.good, file: "good.yaml")
    return LabPlan(
      name: names[index], topologyFile: "good.yaml", topology: topology,
      programs: try Programs.find(in: programs),
      extent: .nothing)
  }

  /// Runs the body, then removes its labs whatever happened.
  func run(_ body: () async throws -> Void) async throws {
    do {
      try await body()
    } catch {
      try? await clean()
      throw error
    }
    try await clean()
  }

  private func clean() async throws {
    for name in names { try await Lab.down(name) }
    try? FileManager.default.removeItem(atPath: programs)
  }

  /// Names of the namespaces that are there for one of the labs.
  func namespaces(_ index: Int = 0) -> [String] {
    let all = (try? FileManager.default.contentsOfDirectory(atPath: Namespaces.directory)) ?? []
    return all.filter { $0.hasPrefix("\(names[index])-") }.sorted()
  }

  /// Expects that nothing of a lab is left.
  func expectNoTraces(_ index: Int = 0, processes: [RecordedProcess] = []) {
    #expect(namespaces(index) == [])
    #expect(!FileManager.default.fileExists(atPath: LabRecord.directory(names[index])))
    #expect(processes.filter(\.isRunning) == [])
  }
}
