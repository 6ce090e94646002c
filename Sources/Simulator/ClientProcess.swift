import Control

/// An operator, or a program that acts for one: asks one thing after the other, and looks for the primary.
struct ClientProcess: Sendable {
  /// What it waits for.
  struct Attempt: Sendable {
    var ticket: Ticket
    var deadline: Moment
    /// How often it was sent elsewhere since it was thought of.
    var redirects: Int
  }

  /// How often in a row it follows whoever says where the primary is.
  static let redirects = 4
  static let patience: ClosedRange<Moment> = .milliseconds(1_500)...(.milliseconds(4_000))

  /// Counts its appointments, of which only the last holds.
  var turn = 0
  /// Which manager it takes for the primary.
  var target: Int
  private(set) var attempt: Attempt?

  init(target: Int) { self.target = target }

  mutating func ask(_ ticket: Ticket, until deadline: Moment, redirects: Int) {
    attempt = Attempt(ticket: ticket, deadline: deadline, redirects: redirects)
  }

  /// Whether the answer is the one it waits for; answers that come too late are not.
  mutating func take(_ ticket: Ticket) -> Attempt? {
    guard let attempt, attempt.ticket.attempt == ticket.attempt else { return nil }
    self.attempt = nil
    return attempt
  }

  /// Gives up waiting.
  mutating func giveUp() -> Ticket? {
    defer { attempt = nil }
    return attempt?.ticket
  }
}
