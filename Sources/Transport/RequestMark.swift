import GRPCCore
import Synchronization

/// Notes when the first request begins to leave, which it does once there is a connection to carry it.
///
/// What fails before has certainly not been carried out; afterwards nobody knows.
final class RequestMark: ClientInterceptor {
  private let state = Mutex(false)

  /// Whether a request may have reached the manager.
  var hasBegun: Bool { state.withLock { $0 } }

  func intercept<Input: Sendable, Output: Sendable>(
    request: StreamingClientRequest<Input>, context: ClientContext,
    next: (StreamingClientRequest<Input>, ClientContext) async throws -> StreamingClientResponse<Output>
  ) async throws -> StreamingClientResponse<Output> {
    let producer = request.producer
    let marked = StreamingClientRequest<Input>(metadata: request.metadata) { writer in
      self.state.withLock { $0 = true }
      try await producer(writer)
    }
    return try await next(marked, context)
  }
}
