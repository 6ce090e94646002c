public import Control
public import Logging
public import Paxos
public import Replication
import Synchronization

/// The links between this manager and all others: it dials each of them, and hears those who dial it.
///
/// A message goes over the link that this manager has dialled, at once, or is dropped and counted: replicas send
/// again. Nothing here waits for anything, so a replica is never held up by a slow peer.
public final class ReplicaLinks: ReplicaNetwork {
  private struct State {
    var hello: PeerHello?
    var hear: (@Sendable (PeerEvent) -> Void)?
    var accepted: [ObjectIdentifier: AcceptedLink] = [:]
    var received: UInt64 = 0
    var withoutLink: UInt64 = 0
    var refused: [String: UInt64] = [:]
  }

  /// What both directions share; the dialled links hold it, and it holds none of them.
  private final class Switchboard: Sendable { let state = Mutex(State()) }

  private let switchboard = Switchboard()
  private let refusals: Refusals
  private let dialled: [DialledLink]

  /// Prepares the links; `run` dials.
  ///
  /// - Parameters:
  ///   - managers: all managers.
  ///   - own: this one's address, as it stands in `managers`.
  ///   - security: how connections are protected.
  ///   - logger: hears of links made and lost, and of whoever is refused.
  public init(
    managers: [ManagerAddress], own: ManagerAddress, security: TransportSecurity, logger: Logger
  ) {
    let refusals = Refusals(logger: logger)
    let switchboard = switchboard
    self.refusals = refusals
    let hello: @Sendable () -> PeerHello? = { switchboard.state.withLock { $0.hello } }
    dialled = Set(managers).subtracting([own]).sorted { "\($0)" < "\($1)" }.map { address in
      let surroundings = DialledLink.Surroundings(
        hello: hello,
        objection: { answer in
          let objection = hello()?.refusal(of: answer).map(LinkRefusal.init)
          if let objection { Self.refuse(objection, "\(address)", switchboard, refusals) }
          return objection
        },
        hear: { answer in switchboard.state.withLock { $0.hear }?(.hello(answer)) })
      return DialledLink(to: address, security: security, logger: logger, surroundings: surroundings)
    }
  }

  /// Keeps all links until the task is cancelled.
  public func run() async {
    await withDiscardingTaskGroup { group in
      for link in dialled { group.addTask { await link.run() } }
      // A manager that is alone has nobody to dial, and runs all the same.
      group.addTask { while !Task.isCancelled { try? await Task.sleep(for: .seconds(3600)) } }
    }
  }

  /// How this manager introduces itself from now on; links that are open are told.
  public func introduce(_ hello: PeerHello) {
    let accepted = switchboard.state.withLock { state in
      state.hello = hello
      return Array(state.accepted.values)
    }
    for link in dialled { link.send(.hello(hello)) }
    for link in accepted { link.answer() }
  }

  /// To whom all that is heard is given, from any thread.
  public func listen(_ hear: @escaping @Sendable (PeerEvent) -> Void) {
    switchboard.state.withLock { $0.hear = hear }
  }

  /// Sends a message to the replica it is addressed to; dropped when there is no link to it.
  public func send(_ envelope: Envelope) {
    let link = dialled.first { $0.replica == envelope.to }
    guard link?.send(.envelope(envelope)) == true else {
      return switchboard.state.withLock { $0.withoutLink += 1 }
    }
  }

  /// Tells all other managers how this one is.
  public func broadcast(_ status: PeerStatus) {
    for link in dialled { link.send(.status(status)) }
  }

  /// Messages sent, received and dropped; links refused by reason; links that are up.
  public func counters() -> [Counter] {
    let (received, withoutLink, refused) = switchboard.state.withLock { state in
      (state.received, state.withoutLink, state.refused)
    }
    let counts = dialled.map(\.counts)
    let sent = counts.reduce(0) { $0 + $1.sent }
    let dropped = counts.reduce(0) { $0 + $1.dropped }
    let messages = "ananta_replica_messages_total"
    return [
      Counter(name: messages, labels: ["direction": "received"], value: received),
      Counter(name: messages, labels: ["direction": "sent"], value: sent),
      Counter(name: "ananta_replica_dropped_total", labels: ["reason": "no-link"], value: withoutLink),
      Counter(name: "ananta_replica_dropped_total", labels: ["reason": "queue-full"], value: dropped),
    ]
      + refused.sorted { $0.key < $1.key }.map { label, count in
        Counter(name: "ananta_replica_refusals_total", labels: ["reason": label], value: count)
      }
  }
}

/// Those who dial this manager.
extension ReplicaLinks {
  /// How this manager introduces itself.
  var hello: PeerHello? { switchboard.state.withLock { $0.hello } }

  /// Takes a link, unless there are too many.
  func accept() throws(ManagementError) -> AcceptedLink {
    let link = AcceptedLink()
    let isTaken = switchboard.state.withLock { state in
      guard state.accepted.count < Limits.replicaLinks else { return false }
      state.accepted[ObjectIdentifier(link)] = link
      return true
    }
    guard isTaken else {
      throw .overloaded(
        reason: "there are \(Limits.replicaLinks) links between managers",
        retryAfterMilliseconds: Limits.retryAfterMilliseconds)
    }
    return link
  }

  func forget(_ link: AcceptedLink) {
    switchboard.state.withLock { state in _ = state.accepted.removeValue(forKey: ObjectIdentifier(link)) }
  }

  /// Takes what was said over a link; the first must be a hello, and what follows must be of the same manager.
  func take(_ message: PeerMessage, over link: AcceptedLink) throws(LinkRefusal) {
    guard let own = hello else {
      throw LinkRefusal(label: "not-ready", reason: "this manager has not read its disk yet")
    }
    let event: PeerEvent
    switch message {
    case .hello(let hello):
      if let refusal = own.refusal(of: hello) { throw LinkRefusal(refusal) }
      guard try link.take(hello) else { return }
      event = .hello(hello)
    case .envelope(let envelope):
      try check(envelope.from, link)
      event = .envelope(envelope)
    case .status(let status):
      try check(status.replica, link)
      event = .status(status)
    }
    let hear = switchboard.state.withLock { state in
      state.received += 1
      return state.hear
    }
    hear?(event)
  }

  /// Counts and logs a link that is not kept.
  func refuse(_ label: String, _ peer: String, _ reason: String) {
    Self.refuse(LinkRefusal(label: label, reason: reason), peer, switchboard, refusals)
  }

  private static func refuse(
    _ refusal: LinkRefusal, _ peer: String, _ switchboard: Switchboard, _ refusals: Refusals
  ) {
    switchboard.state.withLock { $0.refused[refusal.label, default: 0] += 1 }
    refusals.add(refusal.label, peer: peer, refusal.reason)
  }

  private func check(_ replica: ReplicaID, _ link: AcceptedLink) throws(LinkRefusal) {
    guard let hello = link.hello else {
      throw LinkRefusal(label: "no-hello", reason: "the first message of a link must be a hello")
    }
    guard hello.replica == replica else {
      throw LinkRefusal(label: "sender", reason: "a message of another replica than the hello's")
    }
  }
}

extension LinkRefusal {
  init(_ refusal: PeerRefusal) { self.init(label: refusal.label, reason: refusal.description) }
}
