import Control
import GRPCCore
import GRPCNIOTransportHTTP2
import Logging
import Paxos
import Replication
import Synchronization

/// The link to one other manager, which is dialled again for as long as it is not there.
final class DialledLink: Sendable {
  /// What a link needs of those it belongs to.
  struct Surroundings: Sendable {
    /// How this manager introduces itself; nil: not yet.
    let hello: @Sendable () -> PeerHello?
    /// Why an answer is not taken; nil: it is.
    let objection: @Sendable (PeerHello) -> LinkRefusal?
    /// The other manager has introduced itself anew.
    let hear: @Sendable (PeerHello) -> Void
  }

  private struct State {
    var queue = PeerQueue()
    /// The last answer on the present link; nil: there is no link.
    var answer: PeerHello?
    /// The last sign of life, or when the link was dialled.
    var heard = ContinuousClock.now
    var wake: AsyncStream<Void>.Continuation?
    var sent: UInt64 = 0
  }

  let address: ManagerAddress
  private let security: TransportSecurity
  private let logger: Logger
  private let surroundings: Surroundings
  private let state = Mutex(State())

  init(
    to address: ManagerAddress, security: TransportSecurity, logger: Logger, surroundings: Surroundings
  ) {
    self.address = address
    self.security = security
    self.logger = logger
    self.surroundings = surroundings
  }

  /// To whom the link leads; nil: there is none.
  var replica: ReplicaID? { state.withLock { $0.answer?.replica } }

  /// Messages that went out, and envelopes that were dropped for lack of room.
  var counts: (sent: UInt64, dropped: UInt64) { state.withLock { ($0.sent, $0.queue.dropped) } }

  /// Sends a message at once, if there is a link; false: there is none.
  @discardableResult func send(_ message: PeerMessage) -> Bool {
    let wake = state.withLock { state -> AsyncStream<Void>.Continuation? in
      guard state.answer != nil else { return nil }
      state.queue.add(message)
      return state.wake
    }
    wake?.yield()
    return wake != nil
  }

  /// Keeps the link until the task is cancelled.
  func run() async {
    var delay = RetryDelay(first: Limits.replicaFirstRetry, longest: Limits.replicaLongestRetry)
    var lastReason = ""
    while !Task.isCancelled {
      guard let hello = surroundings.hello() else {
        try? await Task.sleep(for: Limits.replicaFirstRetry)
        continue
      }
      let (reason, isRefused) = await converse(hello)
      guard !Task.isCancelled else { return }
      let wasUp = state.withLock { state in
        defer { state.answer = nil }
        return state.answer != nil
      }
      if wasUp { delay.reset() }
      if wasUp || reason != lastReason {
        logger.notice("no link to a manager", metadata: ["manager": "\(address)", "reason": "\(reason)"])
        lastReason = reason
      }
      let pause = isRefused ? Limits.replicaRefusedRetry : delay.next(fraction: .random(in: 0...1))
      try? await Task.sleep(for: pause)
    }
  }

  /// Why it ended, and whether one of the two wants nothing of the other.
  private func converse(_ hello: PeerHello) async -> (reason: String, isRefused: Bool) {
    state.withLock { state in
      state.queue.clear()
      state.heard = .now
    }
    do {
      try await ManagerConnection(address: address, security: security).with { client, proof in
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask { try await self.stream(hello, over: client, proof) }
          group.addTask { try await self.watch() }
          defer { group.cancelAll() }
          try await group.next()
        }
      }
      return ("it ended the link", false)
    } catch let error as LinkRefusal {
      return (error.reason, true)
    } catch let error as UnreachableManager {
      return (error.reason, error.isRefusal)
    } catch let error as RPCError {
      guard let known = RPCFailure.managementError(error) else { return (error.message, false) }
      return (known.description, true)
    } catch let error as OwnCertificateError {
      return (error.reason, true)
    } catch is Silence {
      return ("it has said nothing for \(Limits.replicaSilence)", false)
    } catch {
      return ("\(error)", false)
    }
  }

  private func stream(
    _ hello: PeerHello, over client: GRPCClient<HTTP2ClientTransport.Posix>, _ proof: ClientSecurity
  ) async throws {
    let (wakes, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    state.withLock { $0.wake = wake }
    defer {
      state.withLock { $0.wake = nil }
      wake.finish()
    }
    let replicas = ProtoReplicas.Client(wrapping: client)
    try await replicas.link(options: ManagerConnection.options()) { writer in
      try await writer.write(PeerMessage.hello(hello).proto)
      for await _ in wakes {
        while let message = self.next() { try await writer.write(message.proto) }
      }
    } onResponse: { response in
      for try await message in response.messages { try self.take(try PeerHello(message), hello, proof) }
    }
  }

  private func next() -> PeerMessage? {
    state.withLock { state in
      let message = state.queue.next()
      if message != nil { state.sent += 1 }
      return message
    }
  }

  private func take(_ answer: PeerHello, _ said: PeerHello, _ proof: ClientSecurity) throws(LinkRefusal) {
    if let node = proof.node, node != answer.node {
      throw LinkRefusal(
        label: "another-node",
        reason: "the certificate is of the node \(node), and the hello of \(answer.node)")
    }
    if let objection = surroundings.objection(answer) { throw objection }
    let before = state.withLock { state in
      defer { state.answer = answer }
      state.heard = .now
      return state.answer
    }
    guard before != answer else { return }
    if before == nil {
      logger.info("link to a manager", metadata: ["manager": "\(address)", "node": "\(answer.node)"])
      // What was introduced while the link was being made.
      if let hello = surroundings.hello(), hello != said { send(.hello(hello)) }
    }
    surroundings.hear(answer)
  }

  /// Ends a link that is not there any more, though nobody has closed it.
  private func watch() async throws {
    while true {
      let end = state.withLock { $0.heard } + Limits.replicaSilence
      guard end > .now else { throw Silence() }
      try await Task.sleep(until: end, clock: .continuous)
    }
  }

  private struct Silence: Error {}
}
