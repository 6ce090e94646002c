import ArgumentParser
import Control
import Presentation
import Transport

/// Shows who changed what.
struct Events: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show who changed what, the newest last.",
    discussion: "Managers keep the last \(Control.Limits.auditRecords) changes.")

  @Option(help: "How many of the newest.") var last = 50
  @Option(name: .shortAndLong, help: "table, wide, json or yaml.") var output: Listing.Format = .table
  @OptionGroup var manager: ManagerOptions

  func validate() throws {
    guard last > 0 else { throw ValidationError("--last is at least 1") }
    guard output != .name else {
      throw ValidationError("events have no names; use table, wide, json or yaml")
    }
  }

  func run() async throws {
    let client = try manager.client()
    let records: [AuditRecord]
    do throws(ManagementClientError) {
      records = try await Persistence(within: manager.limitOrDefault).perform {
        () async throws(ManagementClientError) in
        try await client.auditRecords()
      }
    } catch {
      throw Failure.exit(error)
    }
    let listing = Listing(of: Array(records.suffix(last)))
    Terminal.out(listing.text(output))
    if listing.isEmpty, [.table, .wide].contains(output) { Terminal.err("nothing has been changed yet\n") }
  }
}
