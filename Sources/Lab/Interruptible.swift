import Dispatch
import Glibc

/// Work that Ctrl-C ends in good order: it is cancelled, and may clean up.
public enum Interruptible {
  /// Runs the work; SIGINT, SIGTERM and SIGHUP cancel it.
  public static func run<Success: Sendable>(
    _ work: @escaping @Sendable () async throws -> Success
  ) async throws -> Success {
    let task = Task { try await work() }
    let sources = [SIGINT, SIGTERM, SIGHUP].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { task.cancel() }
      source.resume()
      return source
    }
    defer { for source in sources { source.cancel() } }
    return try await task.value
  }
}
