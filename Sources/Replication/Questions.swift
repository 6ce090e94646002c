import Control
import Manager
import Paxos

/// What the manager asks of its log and has not been answered.
enum Question: Hashable, Sendable {
  case read(UInt64)
  case change(UInt64, ManagerChange)
}

/// Questions in the replica, and those that are asked again at the next tick.
struct Questions: Sendable {
  private var asked: [UInt64: Question] = [:]
  /// When the answer must be there, microseconds; kept while a question is asked again and again.
  private var deadlines: [Question: UInt64] = [:]
  private var held: [Question] = []

  var isFull: Bool { deadlines.count >= Limits.questions }

  mutating func begin(_ question: Question, at now: UInt64) {
    deadlines[question] = now + Limits.questionMilliseconds * 1000
  }

  /// It is in the replica, under this name.
  mutating func ask(_ question: Question, as request: UInt64) { asked[request] = question }

  /// The replica has answered.
  mutating func settle(_ request: UInt64) -> Question? { asked.removeValue(forKey: request) }

  /// Keeps a question for the next tick; false when its time is over.
  mutating func hold(_ question: Question, at now: UInt64) -> Bool {
    guard now < deadlines[question] ?? 0 else { return false }
    held.append(question)
    return true
  }

  /// It has its answer.
  mutating func end(_ question: Question) { deadlines[question] = nil }

  /// Those to be asked again.
  mutating func due() -> [Question] {
    defer { held = [] }
    return held
  }

  /// None will be answered by this replica.
  mutating func abandon() -> [Question] {
    defer { self = Questions() }
    return held + asked.sorted { $0.key < $1.key }.map(\.value)
  }
}

/// Asking the replica, and putting its answers into the manager's words.
extension LogMachine {
  mutating func ask(_ question: Question) {
    guard !questions.isFull else { return refuse(question, .retryLater) }
    questions.begin(question, at: now)
    offer(question)
  }

  mutating func offer(_ question: Question) {
    guard replica != nil else { return refuse(question, .notLeader(nil)) }
    let request = nextRequest()
    switch question {
    case .read:
      questions.ask(question, as: request)
      drive(.read(Paxos.RequestID(request)))
    case .change(let id, let change):
      guard let input = input(for: change, Paxos.RequestID(request)) else {
        questions.end(question)
        return tell(.event(.changed(id, .refused(reason: Self.unknown(change)))))
      }
      questions.ask(question, as: request)
      drive(input)
    }
  }

  private func input(for change: ManagerChange, _ request: Paxos.RequestID) -> Paxos.Input? {
    switch change {
    case .add(let name): resolve(name).map { .reconfigure(request, .add($0)) }
    case .remove(let name): resolve(name).map { .reconfigure(request, .remove($0)) }
    case .transfer(let name): resolve(name).map { .transfer(request, to: $0) }
    }
  }

  /// A node's replica, or the one whose identifier in hexadecimal is given, as for a disk that is gone.
  private func resolve(_ name: String) -> ReplicaID? {
    if name == settings.node { return hello.replica }
    return peers.replica(of: name) ?? UInt64(name, radix: 16).map { ReplicaID($0) }
  }

  mutating func done(_ question: Question) {
    questions.end(question)
    switch question {
    case .read(let id): tell(.event(.readable(id)))
    case .change(let id, _): tell(.event(.changed(id, nil)))
    }
  }

  mutating func refuse(_ question: Question, _ refusal: Refusal) {
    if mayPass(refusal), questions.hold(question, at: now) { return }
    // Who asks for a leader that leads already has what it asks for.
    if case .change(_, .transfer(let name)) = question, refusal == .pointless, leads(name) {
      return done(question)
    }
    questions.end(question)
    switch question {
    case .read(let id): tell(.event(.unreadable(id, address: leaderAddress)))
    case .change(let id, let change): tell(.event(.changed(id, error(for: refusal, change))))
    }
  }

  /// Whether the replica may soon answer otherwise: a replica that learns is heard of several times a second, and a
  /// primary that goes on under a new ballot is no leader for a moment.
  private func mayPass(_ refusal: Refusal) -> Bool {
    switch refusal {
    case .retryLater, .notCaughtUp: true
    case .notLeader: reign != nil
    case .tooLarge, .logFull, .pointless, .uncertain: false
    }
  }

  private func error(for refusal: Refusal, _ change: ManagerChange) -> ManagementError {
    switch refusal {
    case .notLeader: .notPrimary(address: leaderAddress)
    case .retryLater, .logFull:
      .overloaded(
        reason: "an earlier change of the managers is not in force yet, or nobody has a lease",
        retryAfterMilliseconds: Limits.changeRetryMilliseconds)
    case .notCaughtUp:
      .refused(reason: "\(change.name) has not caught up with the log; start its manager, and wait")
    case .pointless: .refused(reason: Self.pointless(change))
    case .tooLarge, .uncertain:
      .uncertain(reason: "the primary was deposed meanwhile; look at `get managers` before you try again")
    }
  }

  private func leads(_ name: String) -> Bool {
    reign != nil && resolve(name) == hello.replica
  }

  private static func unknown(_ change: ManagerChange) -> String {
    "no manager of \(change.name) has been heard of; start it with this cluster's `managers`"
  }

  private static func pointless(_ change: ManagerChange) -> String {
    switch change {
    case .add(let name):
      "the manager of \(name) has a vote already, or there are \(Paxos.Limits.voters) voters"
    case .remove(let name): "the manager of \(name) has no vote, or the only one"
    case .transfer(let name): "the manager of \(name) has no vote"
    }
  }
}
