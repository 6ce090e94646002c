import ArgumentParser
import Control
import Manifest
import Presentation
import Transport

/// Creates and changes resources.
struct Apply: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Create or change what manifests describe; all of it or nothing.")

  @OptionGroup var manifests: ManifestFiles
  @OptionGroup var manager: ManagerOptions
  @Flag(help: "Only say what would change.") var dryRun = false
  @Flag(help: "Return when every node has it.") var wait = false

  func validate() throws {
    guard !manifests.files.isEmpty else { throw ValidationError("name a manifest with -f") }
  }

  func run() async throws {
    let resources = try manifests.read(code: 1)
    let change = ConfigurationChange(manager: manager, dryRun: dryRun, wait: wait)
    try await change.perform(.apply(resources.map(\.resource)), about: resources)
  }
}

/// Removes resources.
struct Delete: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Remove what manifests describe, or resources by name; all of them or none.")

  @OptionGroup var manifests: ManifestFiles
  @Argument(help: "node, network, vm or service, and names; or KIND/NAME.") var subjects: [String] = []
  @OptionGroup var manager: ManagerOptions
  @Flag(help: "Only say what would be removed.") var dryRun = false
  @Flag(help: "Return when every node has it.") var wait = false

  func validate() throws {
    guard manifests.files.isEmpty != subjects.isEmpty else {
      throw ValidationError("name either manifests with -f or KIND NAME")
    }
    _ = try keys
  }

  func run() async throws {
    let resources = manifests.files.isEmpty ? [] : try manifests.read(code: 1)
    let keys = resources.isEmpty ? try keys : resources.map(\.resource.key)
    let change = ConfigurationChange(manager: manager, dryRun: dryRun, wait: wait)
    try await change.perform(.delete(keys), about: resources)
  }

  private var keys: [ResourceKey] {
    get throws {
      guard let first = subjects.first else { return [] }
      if subjects.allSatisfy({ $0.contains("/") }) {
        return try subjects.map { subject in
          let parts = subject.split(separator: "/", maxSplits: 1).map(String.init)
          guard parts.count == 2 else { throw ValidationError("\(subject) is no KIND/NAME") }
          return ResourceKey(try Self.kind(parts[0]), parts[1])
        }
      }
      guard subjects.count > 1 else { throw ValidationError("which \(first)? Name one.") }
      let kind = try Self.kind(first)
      return subjects.dropFirst().map { ResourceKey(kind, $0) }
    }
  }

  private static func kind(_ name: String) throws -> Kind {
    guard let kind = Subject(name: name)?.kind else {
      throw ValidationError("\(name) cannot be deleted; node, network, vm and service can")
    }
    return kind
  }
}

/// Shows what `apply` would change.
struct Diff: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show what apply would change.",
    discussion: "Exit status: 0 nothing, 1 something, 2 the manifests are wrong or no manager answers.")

  @OptionGroup var manifests: ManifestFiles
  @OptionGroup var manager: ManagerOptions

  func validate() throws {
    guard !manifests.files.isEmpty else { throw ValidationError("name a manifest with -f") }
  }

  func run() async throws {
    let resources = try manifests.read(code: 2)
    let outcome: Outcome
    do throws(ManagementClientError) {
      let client = try client()
      outcome = try await Persistence(within: manager.limitOrDefault).perform {
        () async throws(ManagementClientError) in
        try await client.perform(.apply(resources.map(\.resource)), dryRun: true)
      }
    } catch {
      throw Failure.exit(error, wrong: 2)
    }
    guard outcome.errors.isEmpty else {
      Terminal.err(OutcomeText.findings(outcome.errors, in: resources))
      throw ExitCode(2)
    }
    let difference = OutcomeText.difference(outcome)
    Terminal.out(difference)
    if !difference.isEmpty { throw ExitCode(1) }
  }

  private func client() throws(ManagementClientError) -> ManagementClient {
    do { return try manager.client() } catch { throw .failed("\(error)") }
  }
}
