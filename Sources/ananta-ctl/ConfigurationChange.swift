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
      outcome = try await Persistence(within: manager.limitOrDefault).perform {
        () async throws(ManagementClientError) in
        try await client.perform(operation, dryRun: dryRun)
      }
    } catch {
      throw Failure.exit(error, ofChange: !dryRun)
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
      try await wait(for: revision, client) { progress in pending.withLock { $0 = progress.pending } }
    } catch {
      guard error == .timedOut else { throw Failure.exit(error) }
      let late = pending.withLock { $0 }.joined(separator: ", ")
      throw Terminal.fail(
        "revision \(revision.number) is durable, but within \(manager.timeout) these nodes did not take it: \(late)",
        code: 1)
    }
  }

  /// Waits within the time-out, at another manager if the one that is asked goes away: waiting changes nothing.
  private func wait(
    for revision: Revision, _ client: ManagementClient,
    progress: @Sendable @escaping (WaitProgress) async -> Void
  ) async throws(ManagementClientError) {
    let end = ContinuousClock.now + manager.limitOrDefault
    while true {
      do throws(ManagementClientError) {
        let rest = end - ContinuousClock.now
        guard rest > .zero else { throw .timedOut }
        return try await client.wait(for: revision, limit: rest, progress: progress)
      } catch {
        guard Persistence.patience(with: error) != nil else { throw error }
        do { try await Task.sleep(for: .milliseconds(100)) } catch { throw .failed("interrupted") }
      }
    }
  }
}
