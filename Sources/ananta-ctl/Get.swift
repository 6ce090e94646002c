public import ArgumentParser
import Control
public import Presentation
import Transport

extension Listing.Format: ExpressibleByArgument {}

/// Lists things.
struct Get: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "List nodes, muxes, hosts, managers, networks, vms, services, endpoints, backends, snat, or all.")

  @Argument(
    help: "What to list; singular and short names will do.",
    completion: .list(Subject.allCases.map(\.rawValue)))
  var subject: String
  @Argument(help: "Only these; default: every one.") var names: [String] = []
  @Option(name: .shortAndLong, help: "table, wide, json, yaml or name.") var output: Listing.Format = .table
  @OptionGroup var manager: ManagerOptions

  func validate() throws {
    let subject = try Subject.parse(subject)
    guard subject != .all || names.isEmpty else { throw ValidationError("all takes no names") }
  }

  func run() async throws {
    let subject = try Subject.parse(subject)
    let listings = try await listings(subject)
    show(listings, bearingKind: subject == .all)
    let missing = listings.flatMap(\.missing)
    for name in missing { Terminal.err("ananta-ctl: \(subject.singular) \(name) does not exist\n") }
    if !missing.isEmpty { throw ExitCode(1) }
  }

  private func listings(_ subject: Subject) async throws -> [Listing] {
    if subject == .managers {
      let group = try await manager.group()
      for warning in group.warnings { Terminal.err("ananta-ctl: \(warning)\n") }
      return [Listing(of: group, names: names)]
    }
    let state = try await manager.state()
    return subject == .all ? Listing.all(of: state) : [Listing(subject, names: names, of: state)]
  }

  private func show(_ listings: [Listing], bearingKind isOneOfMany: Bool) {
    switch output {
    case .json: Terminal.out(Listing.json(listings))
    case .yaml: Terminal.out(listings.map { $0.text(.yaml) }.joined(separator: "---\n"))
    case .name: Terminal.out(listings.map { $0.text(.name) }.joined())
    case .table, .wide:
      Terminal.out(listings.map { $0.text(output, isOneOfMany: isOneOfMany) }.joined(separator: "\n"))
      if listings.allSatisfy(\.isEmpty), names.isEmpty { Terminal.err("nothing there\n") }
    }
  }
}

/// Describes one thing.
struct Describe: AsyncParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Show everything known about one thing.")

  @Argument(help: "What it is.", completion: .list(Subject.allCases.map(\.rawValue))) var subject: String
  @Argument(help: "Its name; several will do.") var names: [String]
  @OptionGroup var manager: ManagerOptions

  func validate() throws {
    guard try Subject.parse(subject) != .all else { throw ValidationError("describe one kind of thing") }
  }

  func run() async throws {
    let subject = try Subject.parse(subject)
    let describe = try await describer(of: subject)
    var texts: [String] = []
    var missing: [String] = []
    for name in names {
      if let text = describe(name) { texts.append(text) } else { missing.append(name) }
    }
    Terminal.out(texts.joined(separator: "\n"))
    for name in missing { Terminal.err("ananta-ctl: \(subject.singular) \(name) does not exist\n") }
    if !missing.isEmpty { throw ExitCode(1) }
  }
}

extension Describe {
  fileprivate func describer(of subject: Subject) async throws -> (String) -> String? {
    if subject == .managers { return ManagerDescription(of: try await manager.group()).text }
    let description = Description(of: try await manager.state())
    return { description.text(subject, $0) }
  }
}

extension Subject {
  fileprivate static func parse(_ name: String) throws -> Subject {
    guard let subject = Subject(name: name) else {
      let known = allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("there is no \(name); known are \(known)")
    }
    return subject
  }
}

extension ManagerOptions {
  fileprivate func state() async throws -> ClusterState {
    let client = try client()
    return try await persistently { () async throws(ManagementClientError) in try await client.state() }
  }

  /// Any manager answers for all, also without a quorum.
  fileprivate func group() async throws -> ManagerGroup {
    let client = try client()
    return try await persistently { () async throws(ManagementClientError) in try await client.managers() }
  }

  private func persistently<Answer: Sendable>(
    _ question: () async throws(ManagementClientError) -> Answer
  ) async throws -> Answer {
    do throws(ManagementClientError) {
      return try await Persistence(within: limitOrDefault).perform(question)
    } catch {
      throw Failure.exit(error)
    }
  }
}
