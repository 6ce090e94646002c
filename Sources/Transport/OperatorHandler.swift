import Control
import GRPCCore

/// Serves operators: decodes, calls the manager, encodes.
struct OperatorHandler: ProtoOperator.SimpleServiceProtocol {
  let service: any ManagementService

  func apply(request: ProtoApplyRequest, context: ServerContext) async throws -> ProtoOutcome {
    try await RPCFailure.translated {
      let operation: Operation = try MessageField.value("operation", request.hasOperation, request.operation)
      return try await service.perform(operation, dryRun: request.dryRun).proto
    }
  }

  func get(request: ProtoGetRequest, context: ServerContext) async throws -> ProtoClusterState {
    await service.state().proto
  }

  func wait(
    request: ProtoWaitRequest, response: RPCWriter<ProtoWaitProgress>, context: ServerContext
  ) async throws {
    let stream = try await RPCFailure.translated {
      try await service.wait(for: Revision(request.revision))
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        for await progress in stream { try await response.write(progress.proto) }
      }
      // An operator who has gone away leaves the stream silent; only the handle tells.
      group.addTask { try await context.cancellation.cancelled }
      try await group.next()
      group.cancelAll()
    }
  }
}
