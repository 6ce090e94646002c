internal import Control
internal import Synchronization
internal import Wire

/// What the probes of all workers have found: changes go out as they come, and all of it after each
/// snapshot.
final class HealthBoard: Sendable {
  private struct Subject: Hashable {
    var locator: IPv4Address
    var key: EndpointKey
  }

  /// Batches of changes, in the order in which they were seen.
  let changes: AsyncStream<[HealthChange]>
  private let outlet: AsyncStream<[HealthChange]>.Continuation
  private let latest = Mutex<[Subject: HealthChange]>([:])

  init() {
    (changes, outlet) = AsyncStream.makeStream()
  }

  /// Notes a change and passes it on; any thread may call.
  func note(_ change: HealthChange) {
    let subject = Subject(locator: change.locator, key: change.key)
    let isNew = latest.withLock { all in
      defer { all[subject] = change }
      return all[subject] != change
    }
    if isNew { outlet.yield([change]) }
  }

  /// Forgets what was found of a VM that is gone: another may get its locator.
  func forget(_ locators: Set<IPv4Address>) {
    latest.withLock { all in all = all.filter { !locators.contains($0.key.locator) } }
  }

  /// Forgets what is no longer probed.
  func keep(_ probed: Set<HostEndpoint>) {
    let subjects = Set(probed.map { Subject(locator: $0.locator, key: $0.key) })
    latest.withLock { all in all = all.filter { subjects.contains($0.key) } }
  }

  /// Passes everything on again, for a manager that may not have heard it.
  func repeatAll() {
    let all = latest.withLock { $0.values.sorted { ($0.locator, $0.key) < ($1.locator, $1.key) } }
    if !all.isEmpty { outlet.yield(all) }
  }
}
