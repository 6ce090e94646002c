import ArgumentParser
import Control
import Transport

/// Turns what goes wrong into sentences and exit codes; docs/ctl.md is their contract.
enum Failure {
  /// No manager can do it at the moment; nothing has happened.
  static let notNow: Int32 = 2
  /// Nobody knows whether it has happened.
  static let uncertain: Int32 = 3

  /// Prints the error, and says with which code to end.
  ///
  /// `wrong` is the code for what will be as wrong the next time. If something was to be changed, an answer that
  /// did not come leaves it uncertain.
  static func exit(
    _ error: ManagementClientError, wrong: Int32 = 1, ofChange isChange: Bool = false
  ) -> ExitCode {
    switch error {
    case .manager(.uncertain): Terminal.fail(error.description, code: uncertain)
    case .timedOut where isChange: Terminal.fail(error.description, code: uncertain)
    case .unreachable, .timedOut, .manager(.notPrimary), .manager(.overloaded), .manager(.unavailable):
      Terminal.fail(error.description, code: notNow)
    case .manager(.refused), .manager(.forbidden), .incompatible, .failed:
      Terminal.fail(error.description, code: wrong)
    }
  }
}
