public import Control
import GRPCCore
import GRPCNIOTransportHTTP2
public import Logging
import Synchronization

/// The agent's side: keeps a stream to one of the managers, whatever happens.
public final class ManagerLink: Sendable {
  /// What happens on the link.
  public enum Event: Hashable, Sendable {
    /// A stream is up; `report` the health of every probed endpoint now, and again what ports are asked for and given
    /// back. An update follows.
    case connected(ManagerAddress)
    /// An order of the manager.
    case update(Update)
    /// A VM gets no more ports for now.
    case portRefusal(PortRefusal)
    /// The stream is down; another is being tried for. Only after `connected`.
    case disconnected(reason: String)
  }

  private struct State {
    var queue = ReportQueue()
    /// Wakes the sender of the current stream.
    var wake: AsyncStream<Void>.Continuation?
    var isConnected = false
  }

  private let managers: [ManagerAddress]
  private let security: TransportSecurity
  private let logger: Logger
  private let hello: @Sendable () -> Hello
  private let state = Mutex(State())

  /// Prepares a link; `run` opens it.
  ///
  /// - Parameters:
  ///   - managers: all replicas, at least one.
  ///   - security: how connections are protected.
  ///   - logger: hears of connections made and lost.
  ///   - hello: asked for at the start of each stream.
  public init(
    managers: [ManagerAddress], security: TransportSecurity, logger: Logger,
    hello: @Sendable @escaping () -> Hello
  ) {
    precondition(!managers.isEmpty, "an agent without managers")
    self.managers = managers
    self.security = security
    self.logger = logger
    self.hello = hello
  }

  /// Sends a report as soon as there is a stream.
  ///
  /// Of each endpoint's health, of acknowledgements and of statistics only the newest waits, of ports each request
  /// and each range once; `hello` is sent by the link itself and ignored here.
  ///
  /// - Returns: whether more is to be sent than before. False: all of it took the place of what waits still.
  @discardableResult
  public func report(_ report: Report) -> Bool {
    let (isNew, wake) = state.withLock { state in (state.queue.add(report), state.wake) }
    wake?.yield()
    return isNew
  }

  /// Ends the stream, so that the next one begins with what the manager thinks this node needs.
  public func reconnect() {
    state.withLock { $0.wake }?.finish()
  }

  /// Keeps the link until the task is cancelled.
  ///
  /// - Parameter handle: called for one event after the other; while it works, the manager is not read, so a slow
  ///   agent holds the manager back and not its own memory.
  public func run(_ handle: @Sendable @escaping (Event) async -> Void) async {
    var delay = RetryDelay()
    var turn = 0
    var lastReason = ""
    while !Task.isCancelled {
      let address = managers[turn % managers.count]
      let (reason, redirect) = await converse(with: address, handle)
      guard !Task.isCancelled else { return }
      let wasConnected = state.withLock { state in
        defer { state.isConnected = false }
        return state.isConnected
      }
      if wasConnected {
        delay.reset()
        await handle(.disconnected(reason: reason))
      }
      if wasConnected || reason != lastReason {
        logger.notice("no manager", metadata: ["manager": "\(address)", "reason": "\(reason)"])
        lastReason = reason
      }
      turn = redirect.flatMap { managers.firstIndex(of: $0) } ?? turn + 1
      try? await Task.sleep(for: delay.next(fraction: .random(in: 0...1)))
    }
  }

  /// Why it ended and, if the manager named the primary, where that is.
  private func converse(
    with address: ManagerAddress, _ handle: @Sendable @escaping (Event) async -> Void
  ) async -> (reason: String, redirect: ManagerAddress?) {
    do {
      try await ManagerConnection(address: address, security: security).with { client in
        try await withThrowingTaskGroup(of: Bool.self) { group in
          group.addTask {
            try await self.stream(over: client, address, handle)
            return true
          }
          group.addTask {
            try await Task.sleep(for: Limits.firstUpdate)
            guard self.state.withLock({ $0.isConnected }) else { throw FirstUpdateIsLate() }
            return false
          }
          defer { group.cancelAll() }
          while let isOver = try await group.next(), !isOver {}
        }
      }
      return ("the manager ended the stream", nil)
    } catch let error as RPCError {
      guard let known = RPCFailure.managementError(error) else { return (error.message, nil) }
      if case .notPrimary(let primary?) = known { return (known.description, ManagerAddress(primary)) }
      return (known.description, nil)
    } catch let error as UnreachableManager {
      return (error.reason, nil)
    } catch is FirstUpdateIsLate {
      return ("the manager has not answered within \(Limits.firstUpdate)", nil)
    } catch {
      return ("\(error)", nil)
    }
  }

  private func stream(
    over client: GRPCClient<HTTP2ClientTransport.Posix>, _ address: ManagerAddress,
    _ handle: @Sendable @escaping (Event) async -> Void
  ) async throws {
    let (wakes, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    state.withLock { state in
      state.queue.beginStream()
      state.wake = wake
    }
    wake.yield()
    defer {
      state.withLock { $0.wake = nil }
      wake.finish()
    }
    let agents = ProtoAgents.Client(wrapping: client)
    try await agents.session(options: ManagerConnection.options()) { writer in
      try await writer.write(Report.hello(self.hello()).proto)
      for await _ in wakes {
        while let report = self.state.withLock({ $0.queue.next() }) { try await writer.write(report.proto) }
      }
    } onResponse: { response in
      for try await message in response.messages {
        let message = try ManagerMessage(message)
        let isFirst = self.state.withLock { state in
          defer { state.isConnected = true }
          return !state.isConnected
        }
        if isFirst {
          self.logger.info("manager found", metadata: ["manager": "\(address)"])
          await handle(.connected(address))
        }
        switch message {
        case .update(let update): await handle(.update(update))
        case .portRefusal(let refusal): await handle(.portRefusal(refusal))
        }
      }
    }
  }
}

/// The manager took the connection and then said nothing.
private struct FirstUpdateIsLate: Error {}
