import Control
import GRPCCore

/// Serves operators: decodes, calls the manager, encodes.
struct OperatorHandler: ProtoOperator.SimpleServiceProtocol {
  let service: any ManagementService
  let admission: Admission
  let gate: Gate

  func apply(request: ProtoApplyRequest, context: ServerContext) async throws -> ProtoOutcome {
    try await RPCFailure.translated {
      let caller = try admission.admit(request.dryRun ? .look : .change, context)
      guard Self.isLarge(request.operation) else { return try await perform(request, by: caller.identity) }
      return try await gate.pass { try await perform(request, by: caller.identity) }
    }
  }

  private func perform(_ request: ProtoApplyRequest, by identity: Identity) async throws -> ProtoOutcome {
    let operation: Operation = try MessageField.value("operation", request.hasOperation, request.operation)
    return try await service.perform(operation, dryRun: request.dryRun, by: identity).proto
  }

  private static func isLarge(_ operation: ProtoOperation) -> Bool {
    switch operation.operation {
    case .apply(let list): list.resources.count > Limits.resourcesOfLarge
    case .delete(let list): list.keys.count > Limits.resourcesOfLarge
    case nil: false
    }
  }

  func get(request: ProtoGetRequest, context: ServerContext) async throws -> ProtoClusterState {
    try await RPCFailure.translated {
      try admission.admit(.look, context)
      return try await gate.pass { try await service.state().proto }
    }
  }

  func events(request: ProtoEventsRequest, context: ServerContext) async throws -> ProtoAuditRecords {
    try await RPCFailure.translated {
      try admission.admit(.look, context)
      return try await gate.pass {
        var proto = ProtoAuditRecords()
        proto.records = try await service.auditRecords().map(\.proto)
        return proto
      }
    }
  }

  func managers(request: ProtoManagersRequest, context: ServerContext) async throws -> ProtoManagerGroup {
    try await RPCFailure.translated {
      try admission.admit(.look, context)
      var group = await service.managers()
      group.counters += admission.refusals.counters
      return group.proto
    }
  }

  func changeManagers(
    request: ProtoManagerChange, context: ServerContext
  ) async throws -> ProtoManagersChanged {
    try await RPCFailure.translated {
      let caller = try admission.admit(.change, context)
      try await service.change(try ManagerChange(request), by: caller.identity)
      return ProtoManagersChanged()
    }
  }

  func recallPorts(request: ProtoPortRecall, context: ServerContext) async throws -> ProtoPortsRecalled {
    try await RPCFailure.translated {
      let caller = try admission.admit(.change, context)
      var proto = ProtoPortsRecalled()
      proto.count = UInt64(clamping: try await service.recall(try PortRecall(request), by: caller.identity))
      return proto
    }
  }

  func wait(
    request: ProtoWaitRequest, response: RPCWriter<ProtoWaitProgress>, context: ServerContext
  ) async throws {
    let (stream, caller) = try await RPCFailure.translated {
      let caller = try admission.admit(.look, context)
      return (try await service.wait(for: Revision(request.revision)), caller)
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        for await progress in stream { try await response.write(progress.proto) }
      }
      // An operator who has gone away leaves the stream silent; only the handle tells.
      group.addTask { try await context.cancellation.cancelled }
      group.addTask { try await caller.untilExpiry() }
      try await group.next()
      group.cancelAll()
    }
  }
}
