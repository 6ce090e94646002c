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

  @Option(
    name: .customLong("ca"),
    help: "PEM file of the authorities that are trusted. Default: ANANTA_CA, or see below.",
    completion: .file())
  var authority: String?

  @Option(
    help: "PEM file of your certificate. Default: ANANTA_CERTIFICATE, or see below.", completion: .file())
  var certificate: String?

  @Option(help: "PEM file of its key. Default: ANANTA_KEY, or see below.", completion: .file())
  var key: String?

  @Flag(help: "Speak plain text to managers that are configured so; also ANANTA_SECURITY=plaintext.")
  var plaintext = false

  @Option(help: "How long a request, or --wait, may take: 500ms, 30s, 2m.") var timeout = "60s"

  /// A request that takes longer than this is lost; only `--wait` may take the whole time-out.
  private static let longestRequestMilliseconds = 30_000

  func validate() throws {
    _ = try managers
    _ = try milliseconds
    _ = try security
  }

  func client() throws -> ManagementClient {
    let limit = min(try milliseconds, Self.longestRequestMilliseconds)
    return ManagementClient(
      managers: try managers, security: try security, timeout: .milliseconds(limit))
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

  private var security: TransportSecurity {
    get throws {
      let isPlaintext = plaintext || Self.environment["ANANTA_SECURITY"] == "plaintext"
      return try CredentialSearch(
        authority: authority ?? Self.environment["ANANTA_CA"],
        certificate: certificate ?? Self.environment["ANANTA_CERTIFICATE"],
        key: key ?? Self.environment["ANANTA_KEY"], isPlaintext: isPlaintext
      ).result()
    }
  }

  private static var environment: [String: String] {
    ProcessInfo.processInfo.environment.filter { !$0.value.isEmpty }
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
