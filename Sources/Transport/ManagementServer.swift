public import Control
import GRPCCore
import GRPCNIOTransportHTTP2
public import Logging
import PKI

/// Why a manager cannot be reached at all.
public struct ManagementServerError: Error, Hashable, Sendable, CustomStringConvertible {
  /// One sentence that says what and what to do.
  public let description: String
}

/// Lets operators and agents reach a manager by gRPC.
public final class ManagementServer: Sendable {
  private let server: GRPCServer<HTTP2ServerTransport.Posix>
  private let listen: ManagerAddress
  private let refusals: Refusals
  private let logger: Logger

  /// Prepares a server; `run()` opens the port.
  ///
  /// - Parameters:
  ///   - service: what the calls do.
  ///   - replicas: hears what other managers say; nil: this server takes no links of managers.
  ///   - listen: an IPv4 address of this machine and a port; port 0 lets the system choose.
  ///   - security: how connections are protected.
  ///   - logger: hears of agents that come and go, and of whoever is refused.
  /// - Throws: when the certificates cannot be used.
  public init(
    service: any ManagementService, replicas: ReplicaLinks? = nil, listen: ManagerAddress,
    security: TransportSecurity, logger: Logger
  ) throws(ManagementServerError) {
    self.listen = listen
    self.logger = logger
    let refusals = Refusals(logger: logger)
    self.refusals = refusals
    let protection: HTTP2ServerTransport.Posix.TransportSecurity
    do throws(PKIError) { protection = try ServerSecurity.make(security, refusals: refusals) } catch {
      throw ManagementServerError(description: "the manager cannot listen on \(listen): \(error)")
    }
    let transport = HTTP2ServerTransport.Posix(
      address: .ipv4(host: listen.host, port: Int(listen.port)),
      transportSecurity: protection,
      config: .defaults { config in
        config.rpc.maxRequestPayloadSize = Limits.messageBytes
        config.http2.targetWindowSize = Limits.windowBytes
        config.http2.maxConcurrentStreams = Limits.streamsPerConnection
        config.connection.keepalive.time = Limits.keepaliveTime
        config.connection.keepalive.timeout = Limits.silence
        config.connection.keepalive.clientBehavior.allowWithoutCalls = true
        config.connection.keepalive.clientBehavior.minPingIntervalWithoutCalls = Limits.shortestPingInterval
        config.channelDebuggingCallbacks.onAcceptTCPConnection = ServerSecurity.limits(security, refusals)
      })
    let admission = Admission(security: security, refusals: refusals)
    var handlers: [any RegistrableRPCService] = [
      OperatorHandler(service: service, admission: admission, gate: Gate()),
      AgentsHandler(service: service, admission: admission, logger: logger),
    ]
    if let replicas { handlers.append(ReplicasHandler(links: replicas, admission: admission)) }
    server = GRPCServer(transport: transport, services: handlers)
  }

  /// Where the server listens; waits until the port is open.
  public var address: ManagerAddress {
    get async throws(ManagementServerError) {
      do {
        let address = try await server.transport.listeningAddress.ipv4
        return ManagerAddress(host: address?.host ?? listen.host, port: UInt16(address?.port ?? 0))
      } catch {
        throw ManagementServerError(description: "the manager does not listen on \(listen): \(error)")
      }
    }
  }

  /// How many connections and calls were refused, by reason.
  public var counters: [Counter] { refusals.counters }

  /// Serves until the task is cancelled; then agents' streams end, and requests have a moment to.
  ///
  /// - Throws: when the port cannot be opened.
  public func run() async throws(ManagementServerError) {
    let serving = Task { try await server.serve() }
    do {
      try await withTaskCancellationHandler {
        try await serving.value
      } onCancel: { [server] in
        server.beginGracefulShutdown()
        Task {
          try? await Task.sleep(for: Limits.grace)
          serving.cancel()
        }
      }
    } catch {
      guard !Task.isCancelled else { return }
      throw describe(error)
    }
  }

  private func describe(_ error: any Error) -> ManagementServerError {
    let cause = (error as? RuntimeError)?.cause ?? error
    let text = "\(cause)"
    let reason =
      if text.contains("errno: 98") {
        "another process uses the port; stop it, or choose another port under manager.listen"
      } else if text.contains("errno: 99") {
        "no interface has this address; correct manager.listen"
      } else if text.contains("errno: 13") {
        "ports below 1024 need privilege; choose another one under manager.listen"
      } else {
        text
      }
    return ManagementServerError(description: "the manager cannot listen on \(listen): \(reason)")
  }
}
