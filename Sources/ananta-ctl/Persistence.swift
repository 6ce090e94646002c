import Control
import Transport

/// Repeats what a manager could not do at the moment: as long as it is certain that nothing has happened.
struct Persistence {
  /// What is the longest that anything is repeated; `--timeout`.
  let limit: Duration

  /// How long no primary is waited for: an election takes a second or two, so ten mean that there is no quorum.
  private static let election = Duration.seconds(10)
  /// How long managers of which none can be reached are waited for: one that is started anew takes a second.
  private static let start = Duration.seconds(3)
  /// From one look for a primary to the next: a tenth of an election.
  private static let pause = Duration.milliseconds(100)

  /// Repeats for at most so long.
  init(within limit: Duration) { self.limit = limit }

  /// Works until it succeeds, fails for good, or time is over; then the last error is thrown.
  func perform<Result: Sendable>(
    _ work: () async throws(ManagementClientError) -> Result
  ) async throws(ManagementClientError) -> Result {
    let began = ContinuousClock.now
    var isTold = false
    while true {
      do throws(ManagementClientError) {
        return try await work()
      } catch {
        guard let (pause, limit) = Self.patience(with: error) else { throw error }
        let end = began + min(limit ?? self.limit, self.limit)
        guard ContinuousClock.now + pause < end else { throw error }
        if !isTold, ContinuousClock.now - began > .seconds(1) {
          Terminal.err("ananta-ctl: \(error); still trying\n")
          isTold = true
        }
        do { try await Task.sleep(for: pause) } catch { throw .failed("interrupted") }
      }
    }
  }

  /// How long to pause before the same request, and how long to go on so; nil: the error is for good, or it is
  /// not certain that nothing has happened.
  static func patience(with error: ManagementClientError) -> (pause: Duration, limit: Duration?)? {
    switch error {
    case .manager(.overloaded(_, let milliseconds)):
      // All that were shed come back at different times.
      (.milliseconds(Int(milliseconds)) * Double.random(in: 1...1.5), nil)
    case .manager(.notPrimary), .manager(.unavailable): (pause, election)
    case .unreachable: (pause, start)
    case .manager(.uncertain), .manager(.refused), .manager(.forbidden), .timedOut, .incompatible, .failed:
      nil
    }
  }
}
