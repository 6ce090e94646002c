public import Control
import GRPCCore
import GRPCNIOTransportHTTP2

/// Why an operator's request has no answer.
public enum ManagementClientError: Error, Hashable, Sendable {
  /// None of the managers can be reached; each with its reason.
  case unreachable([ManagerAddress: String])
  /// A manager has answered, and could not do it.
  case manager(ManagementError)
  /// No answer in time; the request may have been carried out all the same.
  case timedOut
  /// The manager does not understand the request, or its answer is not understood: versions differ.
  case incompatible(String)
  /// Anything else: the own certificate is of no use, or in gRPC's words.
  case failed(String)
}

extension ManagementClientError: CustomStringConvertible {
  /// One sentence that says what and what to do.
  public var description: String {
    switch self {
    case .unreachable(let reasons):
      let list = reasons.sorted { "\($0.key)" < "\($1.key)" }.map { "\($0.key) (\($0.value))" }
      return "no manager can be reached at \(list.joined(separator: ", ")); "
        + "name one with --manager HOST:PORT or ANANTA_MANAGERS"
    case .manager(let error): return error.description
    case .timedOut: return "no answer in time; the request may have been carried out all the same"
    case .incompatible(let reason): return "manager and tool do not understand one another: \(reason)"
    case .failed(let reason): return reason
    }
  }
}

/// Asks managers on behalf of an operator: the first that can be reached, or the primary it names.
public struct ManagementClient: Sendable {
  /// In the order in which they are tried.
  public let addresses: [ManagerAddress]
  /// How connections are protected.
  public let security: TransportSecurity
  /// For one request at one manager.
  public let timeout: Duration
  private let standing: StandingConnections?

  /// Prepares a client; connections are made when they are needed.
  ///
  /// - Parameters:
  ///   - managers: all of them.
  ///   - security: how connections are protected.
  ///   - timeout: for one request at one manager.
  ///   - keepsConnections: they stay open as long as the client or a copy of it is there, for a program that asks
  ///     again and again; else each request makes its own.
  public init(
    managers: [ManagerAddress], security: TransportSecurity, timeout: Duration, keepsConnections: Bool = false
  ) {
    addresses = managers
    self.security = security
    self.timeout = timeout
    standing = keepsConnections ? StandingConnections(security) : nil
  }

  /// Carries out an operation, or says what it would do.
  public func perform(_ operation: Operation, dryRun: Bool) async throws(ManagementClientError) -> Outcome {
    var request = ProtoApplyRequest()
    request.operation = operation.proto
    request.dryRun = dryRun
    let message = request
    let options = ManagerConnection.options(timeout: timeout)
    return try await ask(isChange: !dryRun) { client in
      try Outcome(try await ProtoOperator.Client(wrapping: client).apply(message, options: options))
    }
  }

  /// The data centre as the manager knows it.
  public func state() async throws(ManagementClientError) -> ClusterState {
    let options = ManagerConnection.options(timeout: timeout)
    return try await ask { client in
      try ClusterState(
        try await ProtoOperator.Client(wrapping: client).get(ProtoGetRequest(), options: options))
    }
  }

  /// Who changed what, the newest last.
  public func auditRecords() async throws(ManagementClientError) -> [AuditRecord] {
    let options = ManagerConnection.options(timeout: timeout)
    return try await ask { client in
      let answer = try await ProtoOperator.Client(wrapping: client)
        .events(ProtoEventsRequest(), options: options)
      return try MessageField.list("records", answer.records)
    }
  }

  /// The managers, as the first that can be reached knows them.
  public func managers() async throws(ManagementClientError) -> ManagerGroup {
    let options = ManagerConnection.options(timeout: timeout)
    return try await ask { client in
      try ManagerGroup(
        try await ProtoOperator.Client(wrapping: client).managers(ProtoManagersRequest(), options: options))
    }
  }

  /// Gives or takes votes, or hands leadership over; returns when that is done.
  public func change(_ change: ManagerChange) async throws(ManagementClientError) {
    let options = ManagerConnection.options(timeout: timeout)
    return try await ask(isChange: true) { client in
      _ = try await ProtoOperator.Client(wrapping: client).changeManagers(change.proto, options: options)
    }
  }

  /// Calls leased ports back; returns how many ranges it was, when that is durable.
  public func recall(_ recall: PortRecall) async throws(ManagementClientError) -> Int {
    let options = ManagerConnection.options(timeout: timeout)
    return try await ask(isChange: true) { client in
      let answer = try await ProtoOperator.Client(wrapping: client).recallPorts(
        recall.proto, options: options)
      return try MessageField.integer("count", answer.count)
    }
  }

  /// Follows a revision until every node runs it.
  ///
  /// - Throws: `timedOut` when it takes longer than `limit`; the last progress says who is late. `notPrimary` when the
  ///   manager that was asked leads no more: waiting again changes nothing.
  public func wait(
    for revision: Revision, limit: Duration, progress: @Sendable @escaping (WaitProgress) async -> Void
  ) async throws(ManagementClientError) {
    var request = ProtoWaitRequest()
    request.revision = revision.number
    let message = request
    let options = ManagerConnection.options(timeout: limit)
    let isOver = try await ask { client in
      try await ProtoOperator.Client(wrapping: client).wait(message, options: options) { response in
        var isOver = false
        for try await message in response.messages {
          let current = try WaitProgress(message)
          isOver = current.pending.isEmpty
          await progress(current)
        }
        return isOver
      }
    }
    // It has stopped, or leads no more; another goes on.
    guard isOver else { throw .manager(.notPrimary(address: nil)) }
  }

  /// Asks one manager after the other.
  ///
  /// A change is not asked for again when the connection was lost while it was under way: it may have been carried
  /// out, and others may have changed the same since.
  private func ask<Answer: Sendable>(
    isChange: Bool = false,
    _ question: @Sendable @escaping (GRPCClient<HTTP2ClientTransport.Posix>) async throws -> Answer
  ) async throws(ManagementClientError) -> Answer {
    var toTry = standing?.order(addresses) ?? addresses
    var redirects = Limits.redirects
    var reasons: [ManagerAddress: String] = [:]
    var last: ManagementError?
    while !toTry.isEmpty {
      let address = toTry.removeFirst()
      do {
        return try await ask(address, question)
      } catch let error as RPCError {
        guard let known = RPCFailure.managementError(error) else {
          standing?.note(primary: nil)
          throw Self.describe(error, isChange, address)
        }
        guard case .notPrimary(let primary) = known else { throw .manager(known) }
        last = known
        standing?.note(primary: nil)
        if let next = primary.flatMap(ManagerAddress.init), redirects > 0 {
          redirects -= 1
          toTry.insert(next, at: 0)
          standing?.note(primary: next)
        }
      } catch let error as UnreachableManager {
        standing?.note(primary: nil)
        if isChange, error.mayHaveActed { throw .manager(.uncertain(reason: Self.lost(address))) }
        reasons[address] = error.reason
      } catch let error as OwnCertificateError {
        throw .failed(error.reason)
      } catch let error as MalformedMessage {
        // That of the answer: the request itself was understood.
        guard isChange else { throw .incompatible(error.description) }
        let reason = "the answer of the manager at \(address) is not understood: \(error)"
        throw .manager(.uncertain(reason: reason))
      } catch {
        throw .failed("\(error)")
      }
    }
    if let last { throw .manager(last) }
    throw .unreachable(reasons)
  }

  private func ask<Answer: Sendable>(
    _ address: ManagerAddress,
    _ question: @Sendable @escaping (GRPCClient<HTTP2ClientTransport.Posix>) async throws -> Answer
  ) async throws -> Answer {
    if let standing { return try await standing.with(address, question) }
    return try await ManagerConnection(address: address, security: security).with(question)
  }

  private static func lost(_ address: ManagerAddress) -> String {
    "the connection to the manager at \(address) was lost while the change was under way; look whether it took effect "
      + "before you try again"
  }

  /// What gRPC says of a request; of a change that a manager may have taken up, nobody knows what became of it.
  private static func describe(
    _ error: RPCError, _ isChange: Bool, _ address: ManagerAddress
  ) -> ManagementClientError {
    let text = "\(error.code): \(error.message)"
    return switch error.code {
    case .deadlineExceeded: .timedOut
    case .invalidArgument, .unimplemented: .incompatible(error.message)
    case .resourceExhausted, .permissionDenied, .unauthenticated: .failed(text)
    default: isChange ? .manager(.uncertain(reason: "\(lost(address)) (\(text))")) : .failed(text)
    }
  }
}
