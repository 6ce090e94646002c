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
    let transport = try transport()
    return try await withGRPCClient(transport: transport) { client in try await work(client) }
  }

  private func transport() throws -> HTTP2ClientTransport.Posix {
    let target: any ResolvableTarget =
      IPv4Address(address.host) == nil
      ? .dns(host: address.host, port: Int(address.port))
      : .ipv4(address: address.host, port: Int(address.port))
    return try HTTP2ClientTransport.Posix(
      target: target, transportSecurity: security.ofClient,
      config: .defaults { config in
        config.http2.targetWindowSize = Limits.windowBytes
        config.backoff.initial = Limits.firstRetry
        config.backoff.max = Limits.longestRetry
        config.connection.keepalive = .init(
          time: Limits.keepaliveTime, timeout: Limits.keepaliveTimeout, allowWithoutCalls: true)
      })
  }
}
