import GRPCCore
import Synchronization

/// Notes when a request begins to leave, which it does once there is a connection to carry it.
///
/// What fails before has certainly not been carried out; afterwards nobody knows.
final class RequestMark: Sendable {
  /// That of the request which the task makes.
  @TaskLocal static var current: RequestMark?

  private let state = Mutex(false)

  /// Whether it has begun.
  var hasBegun: Bool { state.withLock { $0 } }

  fileprivate func set() { state.withLock { $0 = true } }

  /// Marks requests as they leave: the one of the task, and the first of the connection.
  struct Interceptor: ClientInterceptor {
    /// Marked by the first request of the connection.
    let connection: RequestMark

    func intercept<Input: Sendable, Output: Sendable>(
      request: StreamingClientRequest<Input>, context: ClientContext,
      next: (StreamingClientRequest<Input>, ClientContext) async throws -> StreamingClientResponse<Output>
    ) async throws -> StreamingClientResponse<Output> {
      let marks = [connection, RequestMark.current].compactMap(\.self)
      let producer = request.producer
      let marked = StreamingClientRequest<Input>(metadata: request.metadata) { writer in
        for mark in marks { mark.set() }
        try await producer(writer)
      }
      return try await next(marked, context)
    }
  }
}
