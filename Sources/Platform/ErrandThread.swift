internal import Glibc

/// A thread that does one thing while the caller waits, for what the kernel keeps per thread.
enum ErrandThread {
  private final class Errand: WorkerThread.Beginning {
    private let body: () -> Void
    init(_ body: @escaping () -> Void) { self.body = body }
    override func run() { body() }
  }

  /// Runs the body on a new thread and returns when that has ended.
  static func run(_ attempt: String, _ object: String, _ body: () -> Void) throws(PlatformError) {
    var failure: PlatformError?
    withoutActuallyEscaping(body) { body in
      do throws(PlatformError) {
        let thread = try WorkerThread.launch(
          attempt, object, stackBytes: Limits.errandStackBytes, Errand(body))
        pthread_join(thread, nil)
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
  }
}
