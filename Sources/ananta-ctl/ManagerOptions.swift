import ArgumentParser
import Control
import Foundation
import Manifest
import Transport

/// Options of every verb that asks a manager.
struct ManagerOptions: ParsableArguments {
  @Option(
    name: .customLong("manager"),
    help: "HOST:PORT of a manager; may be repeated. Default: ANANTA_MANAGERS, or 127.0.0.1:4600.")
  var names: [String] = []

  @Option(help: "How long a request, or --wait, may take: 500ms, 30s, 2m.") var timeout = "60s"

  /// A request that takes longer than this is lost; only `--wait` may take the whole time-out.
  private static let longestRequestMilliseconds = 30_000

  func validate() throws {
    _ = try managers
    _ = try milliseconds
  }

  func client() throws -> ManagementClient {
    let limit = min(try milliseconds, Self.longestRequestMilliseconds)
    return ManagementClient(managers: try managers, security: .plaintext, timeout: .milliseconds(limit))
  }

  var limit: Duration { get throws { .milliseconds(try milliseconds) } }

  /// The limit; `validate` has seen to it that it can be read.
  var limitOrDefault: Duration { (try? limit) ?? .seconds(60) }

  private var milliseconds: Int {
    get throws {
      guard let milliseconds = DurationText.milliseconds(timeout), milliseconds > 0 else {
        throw ValidationError("--timeout must be a duration such as 500ms, 30s or 2m, not \(timeout)")
      }
      return milliseconds
    }
  }

  private var managers: [ManagerAddress] {
    get throws {
      var texts = names
      var source = "--manager"
      if texts.isEmpty, let list = ProcessInfo.processInfo.environment["ANANTA_MANAGERS"], !list.isEmpty {
        texts = list.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        source = "ANANTA_MANAGERS"
      }
      if texts.isEmpty { texts = ["127.0.0.1:4600"] }
      return try texts.map { text in
        guard let address = ManagerAddress(text) else {
          throw ValidationError("\(source): \(text) is no HOST:PORT such as 10.1.1.2:4600")
        }
        return address
      }
    }
  }
}
