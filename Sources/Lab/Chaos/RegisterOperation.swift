/// What one client did to one register, and when; a history consists of these.
///
/// A register holds one number, or nothing as long as nobody has written it. Each written number is unique.
public struct RegisterOperation: Codable, Hashable, Sendable {
  /// What was asked for.
  public enum Kind: String, Codable, Hashable, Sendable {
    case read, write
  }
  /// What the client knows of it.
  public enum Outcome: String, Codable, Hashable, Sendable {
    /// It was carried out.
    case ok
    /// It was not carried out, and never will be.
    case failed
    /// It may have been carried out, may still be, or never.
    case uncertain
  }

  /// Which of the clients.
  public var client: Int
  /// Which of the registers.
  public var register: Int
  /// What was asked for.
  public var kind: Kind
  /// The number that was written or read; nil: nothing was there, or nothing was read.
  public var value: UInt64?
  /// When it was asked for, in nanoseconds on a clock that all clients share.
  public var invoked: UInt64
  /// When the answer was there.
  public var responded: UInt64
  /// What the client knows of it.
  public var outcome: Outcome
  /// Why it is not known to have been carried out; empty if it is.
  public var reason: String

  /// Describes an operation.
  public init(
    client: Int, register: Int, kind: Kind, value: UInt64?, invoked: UInt64, responded: UInt64,
    outcome: Outcome = .ok, reason: String = ""
  ) {
    self.client = client
    self.register = register
    self.kind = kind
    self.value = value
    self.invoked = invoked
    self.responded = responded
    self.outcome = outcome
    self.reason = reason
  }
}

extension RegisterOperation: CustomStringConvertible {
  /// `client 3 writes 17 (ok, 1200.5 ms to 1201.25 ms)`.
  public var description: String {
    let number = value.map(String.init) ?? "nothing"
    let span = "\(Double(invoked / 1000) / 1000) ms to \(Double(responded / 1000) / 1000) ms"
    return "client \(client) \(kind == .read ? "reads" : "writes") \(number) (\(outcome.rawValue), \(span))"
  }
}
