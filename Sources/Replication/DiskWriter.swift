import Dispatch
import Paxos
import Synchronization

/// The disk's thread: what waits for it is written together, with one sync.
///
/// A write that fails is tried again unchanged until it succeeds; what was to come after it is forgotten, as if the
/// process had crashed there, and the replica begins again with what is durable.
final class DiskWriter: Sendable {
  private struct State {
    var waiting: [WriteBatch] = []
    var life: UInt64 = 0
    /// What the disk did not take.
    var failed: Errand?
    /// The last life of which it did not take something: what still comes from there has no ground.
    var endedLife: UInt64 = 0
    var isClosed = false
    var syncs: UInt64 = 0
  }

  private enum Errand {
    case write([WriteBatch])
    case found(DurableState)
  }

  private let disk: any ReplicaDisk
  private let report: @Sendable (LogInput) -> Void
  private let queue = DispatchQueue(label: "ananta.log.disk")
  private let state = Mutex(State())

  init(_ disk: any ReplicaDisk, report: @escaping @Sendable (LogInput) -> Void) {
    self.disk = disk
    self.report = report
  }

  /// Syncs so far.
  var syncs: UInt64 { state.withLock { $0.syncs } }

  func persist(_ batch: WriteBatch, life: UInt64) {
    let isFirst = state.withLock { state in
      guard life > state.endedLife else { return false }
      state.waiting.append(batch)
      state.life = life
      return state.waiting.count == 1
    }
    if isFirst { queue.async { self.writeWaiting() } }
  }

  func found(_ state: DurableState) {
    queue.async { self.carryOut(.found(state)) }
  }

  /// Reads what is there, behind all that was to be written before.
  func recover() {
    queue.async {
      self.writeWaiting()
      if self.state.withLock({ $0.failed == nil }) { self.read() }
    }
  }

  /// Writes what waits and closes the disk; returns when that is done.
  func close() {
    queue.sync {
      writeWaiting()
      state.withLock { $0.isClosed = true }
      disk.close()
    }
  }

  private func writeWaiting() {
    let (batches, life) = state.withLock { state in
      defer { state.waiting = [] }
      return (state.failed == nil ? state.waiting : [], state.life)
    }
    guard let last = batches.last, carryOut(.write(batches)) else { return }
    report(.persisted(upTo: last.id, life: life))
  }

  private var isClosed: Bool { state.withLock { $0.isClosed } }

  /// Does it, or keeps it until it can be done.
  @discardableResult private func carryOut(_ errand: Errand) -> Bool {
    guard !isClosed else { return false }
    do throws(DiskFailure) {
      switch errand {
      case .write(let batches): try disk.write(batches)
      case .found(let durable): try disk.found(durable)
      }
      state.withLock { state in
        state.syncs += 1
        state.failed = nil
      }
      if case .found = errand { read() }
      return true
    } catch {
      state.withLock { state in
        state.failed = errand
        if case .write = errand { state.endedLife = state.life }
      }
      report(.diskFailed(error))
      if error.code != .damaged { retryLater() }
      return false
    }
  }

  private func retryLater() {
    queue.asyncAfter(deadline: .now() + .milliseconds(Limits.diskRetryMilliseconds)) { [weak self] in
      guard let self, let failed = self.state.withLock({ $0.failed }), self.carryOut(failed) else { return }
      self.state.withLock { $0.waiting = [] }
      if case .write = failed { self.read() }
    }
  }

  private func read() {
    guard !isClosed else { return }
    do throws(DiskFailure) {
      report(.recovered(try disk.recover(), seed: .random(in: .min ... .max)))
    } catch {
      report(.diskFailed(error))
      guard error.code != .damaged else { return }
      queue.asyncAfter(deadline: .now() + .milliseconds(Limits.diskRetryMilliseconds)) { [weak self] in
        self?.read()
      }
    }
  }
}
