import Foundation

/// A program on this machine; what it says, and how it ends.
enum Command {
  /// What a test cannot go on without.
  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  /// Full path of a program; a test that needs it fails with a sentence when it is missing.
  static func path(_ name: String) throws -> String {
    for directory in ["/usr/bin", "/usr/sbin", "/bin", "/sbin", "/usr/lib/frr"] {
      let path = "\(directory)/\(name)"
      if FileManager.default.isExecutableFile(atPath: path) { return path }
    }
    throw Failure(description: "\(name) is not installed; run `make deps`, these tests need it")
  }

  /// Runs to the end; throws when it fails.
  @discardableResult
  static func run(_ name: String, _ arguments: String...) throws -> String {
    let (process, output) = try begin(name, arguments)
    let data = output.fileHandleForReading.readDataToEndOfFile()
    wait(for: process)
    guard !process.isRunning else {
      kill(process.processIdentifier, SIGKILL)
      throw Failure(description: "\(name) \(arguments.joined(separator: " ")) does not end")
    }
    let text = String(decoding: data, as: UTF8.self)
    guard process.terminationStatus == 0 else {
      throw Failure(description: "\(name) \(arguments.joined(separator: " ")): \(text)")
    }
    return text
  }

  /// Starts a program that stays; its output goes to a file.
  static func start(_ name: String, _ arguments: [String], log: URL) throws -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try path(name))
    process.arguments = arguments
    _ = FileManager.default.createFile(atPath: log.path, contents: nil)
    let file = try FileHandle(forWritingTo: log)
    process.standardOutput = file
    process.standardError = file
    process.standardInput = FileHandle.nullDevice
    try process.run()
    return process
  }

  /// `waitUntilExit` spins a run loop, which on a thread of Swift's pool can miss the end and sleep for ever.
  static func wait(for process: Process, seconds: Double = 20) {
    let deadline = ContinuousClock.now.advanced(by: .seconds(seconds))
    while process.isRunning, ContinuousClock.now < deadline { Thread.sleep(forTimeInterval: 0.005) }
  }

  private static func begin(_ name: String, _ arguments: [String]) throws -> (Process, Pipe) {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: try path(name))
    process.arguments = arguments
    process.standardOutput = output
    process.standardError = output
    process.standardInput = FileHandle.nullDevice
    try process.run()
    return (process, output)
  }
}

/// Asks again and again until the answer is yes; throws what it waited for when time is up.
func eventually(
  _ what: String, withinSeconds limit: Double = 15, _ condition: () throws -> Bool
) throws {
  let deadline = ContinuousClock.now.advanced(by: .seconds(limit))
  while try !condition() {
    guard ContinuousClock.now < deadline else {
      throw Command.Failure(description: "not within \(limit) s: \(what)")
    }
    Thread.sleep(forTimeInterval: 0.1)
  }
}
