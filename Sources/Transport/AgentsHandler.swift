import Control
import GRPCCore
import Logging
import Synchronization

/// Serves agents: a stream of reports one way, a stream of the manager's messages the other way.
struct AgentsHandler: ProtoAgents.SimpleServiceProtocol {
  let service: any ManagementService
  let admission: Admission
  let logger: Logger

  func session(
    request: RPCAsyncSequence<ProtoReport, any Error>, response: RPCWriter<ProtoManagerMessage>,
    context: ServerContext
  ) async throws {
    let caller = try await RPCFailure.translated { try admission.caller(context) }
    let stream = AgentStream(service: service, admission: admission, caller: caller, logger: logger)
    do {
      try await stream.run(request, response, context.cancellation)
    } catch {
      await stream.end(error)
      throw error
    }
    await stream.end(nil)
  }
}

/// One agent's stream, from hello to the end.
private final class AgentStream: Sendable {
  private let service: any ManagementService
  private let admission: Admission
  private let caller: Caller
  private let logger: Logger
  private let attached = Mutex<(node: String, id: SessionID)?>(nil)

  init(service: any ManagementService, admission: Admission, caller: Caller, logger: Logger) {
    self.service = service
    self.admission = admission
    self.caller = caller
    self.logger = logger
  }

  /// Returns when either side ends the stream, or the server stops.
  func run(
    _ reports: RPCAsyncSequence<ProtoReport, any Error>, _ response: RPCWriter<ProtoManagerMessage>,
    _ cancellation: ServerContext.RPCCancellationHandle
  ) async throws {
    // At most one session passes through; it joins the reader, which meets hello, to the writer.
    let (sessions, handOver) = AsyncStream.makeStream(
      of: AgentSession.self, bufferingPolicy: .bufferingOldest(1))
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        for await session in sessions {
          for await message in session.messages { try await response.write(message.proto) }
          return
        }
      }
      group.addTask {
        try await RPCFailure.translated {
          for try await message in reports { try await self.take(try Report(message), handOver) }
        }
      }
      group.addTask { try await cancellation.cancelled }
      group.addTask { try await self.caller.untilExpiry() }
      defer { group.cancelAll() }
      try await group.next()
    }
  }

  private func take(_ report: Report, _ handOver: AsyncStream<AgentSession>.Continuation) async throws {
    let id = attached.withLock { $0?.id }
    switch (report, id) {
    case (.hello(let hello), nil):
      try admission.admit(.session(hello), by: caller)
      let session = try await service.attach(hello)
      attached.withLock { $0 = (hello.node, session.id) }
      logger.info("agent connected", metadata: ["node": "\(hello.node)", "peer": "\(caller.peer)"])
      handOver.yield(session)
    case (.hello, _?): throw MalformedMessage(field: "report", reason: "a second hello on one stream")
    case (_, nil): throw MalformedMessage(field: "report", reason: "the first report must be hello")
    case (_, let id?): await service.report(report, from: id)
    }
  }

  func end(_ error: (any Error)?) async {
    guard let (node, id) = attached.withLock({ $0 }) else {
      if let error {
        logger.notice("agent refused", metadata: ["peer": "\(caller.peer)", "reason": "\(error)"])
      }
      return
    }
    await service.detach(id)
    let reason = error.map { "\($0)" } ?? "ended"
    logger.info("agent gone", metadata: ["node": "\(node)", "peer": "\(caller.peer)", "reason": "\(reason)"])
  }
}
