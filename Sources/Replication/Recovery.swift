import Control
import Manager
import Paxos

/// From the disk: at the start, after it has failed, and when there is no other way.
extension LogMachine {
  mutating func recover(_ state: DurableState?, seed: UInt64) {
    guard let state else {
      become(.forming)
      return found()
    }
    introduce(state)
    contacts = peers.hellos.filter { $0.cluster == state.cluster }.map(\.replica)
    guard !state.snapshot.memberships.isEmpty || !contacts.isEmpty else { return become(.joining(state)) }
    do throws(RecoveryError) {
      life += 1
      replica = try Replica(
        recovering: state, cluster: state.cluster, contacts: contacts, tuning: settings.tuning, seed: seed)
      applied = .none
      become(.running)
      drive(.tick)
    } catch {
      end(error.sentence)
    }
  }

  mutating func introduce(_ state: DurableState) {
    hello.cluster = state.cluster
    hello.founders = state.snapshot.memberships.first { $0.decided == .none }?.voters ?? []
    effects.append(.introduce(hello))
  }

  mutating func found() {
    guard condition == .forming,
      let state = Founding.decide(hello, managers: settings.managers, peers: peers.hellos)
    else { return }
    become(.founding)
    let verb = state.snapshot.memberships.isEmpty ? "joining" : "founding"
    effects.append(.log(.info, "\(verb) the cluster \(String(state.cluster.number, radix: 16))"))
    effects.append(.found(state))
  }

  /// Gives up what this `Replica` value had in mind, as a crash would, and begins with what is durable.
  mutating func beginAgain(_ reason: String) {
    guard case .running = condition else { return }
    metrics.restarts += 1
    halt("beginning again from the disk: \(reason)")
    effects.append(.recover)
  }

  mutating func fail(_ failure: DiskFailure) {
    metrics.diskFailures += 1
    guard failure.code != .damaged else { return end(failure.description) }
    if case .halted = condition { return }
    halt("the replica has stopped until the disk takes writes: \(failure.description)")
  }

  mutating func halt(_ reason: String) {
    life += 1
    replica = nil
    effects.append(.log(.warning, reason))
    stop(.halted(reason))
  }

  /// A replica that went on would come to another state than the others.
  mutating func end(_ reason: String) {
    replica = nil
    stop(.ended(reason))
    effects.append(.log(.warning, reason))
    effects.append(.end(reason))
  }

  mutating func stop(_ condition: Condition) {
    depose()
    for question in questions.abandon() { refuse(question, .uncertain) }
    become(condition)
  }

  mutating func become(_ condition: Condition) {
    if case .halted = self.condition, condition == .running { effects.append(.log(.info, "running again")) }
    self.condition = condition
    noteRole()
  }

  static func undecodable(_ slot: Slot, _ reason: String) -> String {
    "the log's slot \(slot.number) cannot be read: \(reason); run the release that wrote it on all managers"
  }
}

extension RecoveryError {
  /// One sentence that says what and what to do.
  var sentence: String {
    let cure = "move the replica's files away: it joins again as a new one, see docs/manager.md"
    return switch self {
    case .anotherCluster(let found, let expected):
      "the disk belongs to the cluster \(String(found.number, radix: 16)), not to "
        + "\(String(expected.number, radix: 16)); correct `dataDirectory`"
    case .damagedSnapshot(let slot): "the snapshot of slot \(slot.number) is damaged; \(cure)"
    case .damagedLog(let slot): "slot \(slot.number) of the log is missing or out of order; \(cure)"
    }
  }
}
