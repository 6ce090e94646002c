import ArgumentParser
import Control
import Manifest
import Presentation
import Synchronization
import Transport

/// Carries out an operation, tells the operator, and waits for the nodes if that is wanted.
struct ConfigurationChange {
  let manager: ManagerOptions
  let dryRun: Bool
  let wait: Bool

  func perform(_ operation: Operation, about resources: [LocatedResource]) async throws {
    let client = try manager.client()
    let outcome: Outcome
    do throws(ManagementClientError) {
      outcome = try await client.perform(operation, dryRun: dryRun)
    } catch {
      throw Failure.exit(error)
    }
    Terminal.err(OutcomeText.findings(outcome.warnings, in: resources, prefix: "warning: "))
    guard outcome.errors.isEmpty else {
      Terminal.err(OutcomeText.findings(outcome.errors, in: resources))
      throw ExitCode(1)
    }
    Terminal.out(OutcomeText.changes(outcome, dryRun: dryRun))
    if wait, !dryRun { try await follow(outcome.revision, client) }
  }

  private func follow(_ revision: Revision, _ client: ManagementClient) async throws {
    let pending = Mutex<[String]>([])
    do throws(ManagementClientError) {
      try await client.wait(for: revision, limit: try limit()) { progress in
        pending.withLock { $0 = progress.pending }
      }
    } catch {
      guard error == .timedOut else { throw Failure.exit(error) }
      let late = pending.withLock { $0 }.joined(separator: ", ")
      throw Terminal.fail(
        "revision \(revision.number) is durable, but within \(manager.timeout) these nodes did not take it: \(late)",
        code: 1)
    }
  }

  private func limit() throws(ManagementClientError) -> Duration {
    do { return try manager.limit } catch { throw .failed("\(error)") }
  }
}
