import Glibc
import Logging

/// The thread that BGP sessions have for themselves, ahead of the packet workers in the scheduler.
///
/// A worker that takes a whole core must not cost a KEEPALIVE: SCHED_FIFO runs the thread as soon as it has something
/// to do. It sleeps in `poll` otherwise, and reads a bounded amount at a time, so it cannot hold a core for long.
struct SessionThread: Sendable {
  private final class Body: Sendable {
    let run: @Sendable () -> Void

    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }

  /// Low among real-time priorities: ahead of every ordinary thread, behind the kernel's own.
  private static let fifoPriority: CInt = 10
  private static let niceLevel: CInt = -10

  private let identifier: pthread_t

  /// Starts a thread.
  init(_ run: @escaping @Sendable () -> Void) throws(SpeakerError) {
    var thread = pthread_t()
    let body = unsafe Unmanaged.passRetained(Body(run))
    let code = unsafe pthread_create(
      &thread, nil,
      { argument in
        guard let argument = unsafe argument else { return nil }
        SessionThread.blockSignals()
        unsafe Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
        return nil
      }, body.toOpaque())
    guard code == 0 else {
      unsafe body.release()
      throw SpeakerError(
        .system, "no thread for BGP: \(TCPSocket.text(of: code)); raise the limit on processes")
    }
    identifier = thread
  }

  /// Waits until the thread has ended.
  func join() { _ = pthread_join(identifier, nil) }

  /// Signals belong to the program's own threads.
  private static func blockSignals() {
    var all = sigset_t()
    unsafe sigfillset(&all)
    _ = unsafe pthread_sigmask(SIG_SETMASK, &all, nil)
  }

  /// Moves the calling thread ahead of ordinary threads; what is not permitted goes to the log.
  static func raisePriority(logger: Logger) {
    var parameters = sched_param(sched_priority: fifoPriority)
    let code = unsafe pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameters)
    guard code != 0 else {
      return logger.debug("BGP thread runs under SCHED_FIFO", metadata: ["priority": "\(fifoPriority)"])
    }
    let reason = TCPSocket.text(of: code)
    // On Linux 0 means the calling thread, not the process.
    guard setpriority(CInt(PRIO_PROCESS.rawValue), 0, niceLevel) == 0 else {
      return logger.warning(
        """
        BGP thread has ordinary priority: neither SCHED_FIFO (\(reason)) nor nice \(niceLevel) is permitted; \
        grant CAP_SYS_NICE, or load on every core can cost the session
        """)
    }
    logger.notice("BGP thread runs at nice \(niceLevel): SCHED_FIFO is not permitted (\(reason))")
  }
}
