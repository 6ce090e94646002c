import Control
import GRPCCore
import GRPCNIOTransportHTTP2
import Synchronization

/// Connections that stay open from one request to the next, one to each manager, until they fail or are let go.
final class StandingConnections: Sendable {
  private struct Connection {
    let number: Int
    let client: GRPCClient<HTTP2ClientTransport.Posix>
    let protection: ClientSecurity
    let running: Task<Void, any Error>
  }

  private struct State {
    var connections: [ManagerAddress: Connection] = [:]
    var made = 0
    var primary: ManagerAddress?
  }

  private let security: TransportSecurity
  private let state = Mutex(State())

  init(_ security: TransportSecurity) { self.security = security }

  deinit {
    for connection in state.withLock({ $0.connections }).values { connection.running.cancel() }
  }

  /// The managers, the one first that was primary a moment ago.
  func order(_ managers: [ManagerAddress]) -> [ManagerAddress] {
    guard let primary = state.withLock({ $0.primary }), managers.contains(primary) else { return managers }
    return [primary] + managers.filter { $0 != primary }
  }

  /// Notes who has answered as the primary; nil: that one does not any more.
  func note(primary: ManagerAddress?) { state.withLock { $0.primary = primary } }

  /// Works over the connection to a manager, which is made if there is none.
  ///
  /// - Throws: as `ManagerConnection.with`.
  func with<Result: Sendable>(
    _ address: ManagerAddress,
    _ work: @Sendable @escaping (GRPCClient<HTTP2ClientTransport.Posix>) async throws -> Result
  ) async throws -> Result {
    let connection = try connection(to: address)
    let mark = RequestMark()
    do {
      return try await RequestMark.$current.withValue(mark) { try await work(connection.client) }
    } catch let error as RPCError where error.code == .unavailable {
      drop(connection, of: address)
      throw UnreachableManager(error, security, connection.protection, isAsked: mark.hasBegun)
    } catch  where !mark.hasBegun && !(error is CancellationError) {
      // Another request has found the connection broken a moment ago.
      drop(connection, of: address)
      let error = RPCError(code: .unavailable, message: "\(error)")
      throw UnreachableManager(error, security, connection.protection, isAsked: false)
    }
  }

  private func connection(to address: ManagerAddress) throws -> Connection {
    try state.withLock { state in
      if let standing = state.connections[address] { return standing }
      let (transport, protection, interceptor) = try ManagerConnection(address: address, security: security)
        .make()
      let client = GRPCClient(transport: transport, interceptors: [interceptor])
      state.made += 1
      let connection = Connection(
        number: state.made, client: client, protection: protection,
        running: Task { try await client.runConnections() })
      state.connections[address] = connection
      return connection
    }
  }

  private func drop(_ connection: Connection, of address: ManagerAddress) {
    state.withLock { state in
      if state.connections[address]?.number == connection.number { state.connections[address] = nil }
    }
    connection.client.beginGracefulShutdown()
  }
}
