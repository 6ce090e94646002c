import Foundation
import Platform

/// Other programs, whose answers ours are compared with.
enum Command {
  struct Failure: Error {
    let words: [String]
    let status: Int32
  }

  /// The lines a program prints.
  @discardableResult static func lines(_ words: String...) throws -> [String] { try run(words).lines }

  /// The lines a program prints.
  @discardableResult static func lines(_ words: [String]) throws -> [String] { try run(words).lines }

  /// What `ip -j` says in a namespace.
  static func ip(in namespace: String, _ words: String...) throws -> [[String: Any]] {
    let output = try run(["ip", "-n", namespace, "-j", "-d"] + words)
    guard !output.data.isEmpty else { return [] }
    // A link that is not asked about shows as an empty object.
    let objects = try JSONSerialization.jsonObject(with: output.data) as? [[String: Any]] ?? []
    return objects.filter { !$0.isEmpty }
  }

  /// Runs `ip` in a namespace for its effect.
  static func change(in namespace: String, _ words: String...) throws {
    _ = try run(["ip", "-n", namespace] + words)
  }

  private struct Output {
    let data: Data
    var lines: [String] { String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init) }
  }

  private static func run(_ words: [String]) throws -> Output {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = words
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Failure(words: words, status: process.terminationStatus)
    }
    return Output(data: data)
  }
}
