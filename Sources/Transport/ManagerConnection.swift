import Control
import GRPCCore
import GRPCNIOTransportHTTP2
import Wire

/// One connection to one manager; it lasts as long as the work that is done over it.
struct ManagerConnection {
  let address: ManagerAddress
  let security: TransportSecurity

  /// What every call is made with.
  static func options(timeout: Duration? = nil) -> CallOptions {
    var options = CallOptions.defaults
    options.timeout = timeout
    options.waitForReady = false
    options.maxRequestMessageBytes = Limits.messageBytes
    options.maxResponseMessageBytes = Limits.messageBytes
    return options
  }

  /// Connects, works, and closes.
  func with<Result: Sendable>(
    _ work: @Sendable @escaping (GRPCClient<HTTP2ClientTransport.Posix>) async throws -> Result
  ) async throws -> Result {
    try await with { client, _ in try await work(client) }
  }

  /// Connects, works, and closes; the work may ask who the manager is.
  ///
  /// - Throws: `UnreachableManager` when there is no connection, or none any more; `OwnCertificateError`; or what
  ///   the work throws.
  func with<Result: Sendable>(
    _ work:
      @Sendable @escaping (GRPCClient<HTTP2ClientTransport.Posix>, ClientSecurity) async throws -> Result
  ) async throws -> Result {
    let (transport, protection, interceptor) = try make()
    do {
      return try await withGRPCClient(transport: transport, interceptors: [interceptor]) { client in
        try await work(client, protection)
      }
    } catch let error as RPCError where error.code == .unavailable {
      let isAsked = interceptor.connection.hasBegun
      throw UnreachableManager(error, security, protection, isAsked: isAsked)
    }
  }

  /// What a client is made of; it connects when it runs.
  func make() throws -> (HTTP2ClientTransport.Posix, ClientSecurity, RequestMark.Interceptor) {
    let protection = try ClientSecurity(security)
    let mark = RequestMark()
    let transport = try transport(protection.transport, mark)
    return (transport, protection, RequestMark.Interceptor(connection: mark))
  }

  private func transport(
    _ protection: HTTP2ClientTransport.Posix.TransportSecurity, _ mark: RequestMark
  ) throws -> HTTP2ClientTransport.Posix {
    let target: any ResolvableTarget =
      IPv4Address(address.host) == nil
      ? .dns(host: address.host, port: Int(address.port))
      : .ipv4(address: address.host, port: Int(address.port))
    return try HTTP2ClientTransport.Posix(
      target: target, transportSecurity: protection,
      config: .defaults { config in
        config.http2.targetWindowSize = Limits.windowBytes
        config.backoff.initial = Limits.firstRetry
        config.backoff.max = Limits.longestRetry
        config.connection.keepalive = .init(
          time: Limits.keepaliveTime, timeout: Limits.silence, allowWithoutCalls: true)
        // What is said goes out at once: nothing here sends so much that system calls count.
        config.connection.flushCoalescing = nil
        config.channelDebuggingCallbacks.onCreateTCPConnection = { channel in
          TCPLimits.limitConnect(channel) { mark.hasBegun }
        }
      })
  }
}
