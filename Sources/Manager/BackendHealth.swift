public import Control

/// A VM in one of its parts: serving one endpoint.
public struct BackendKey: Codable, Hashable, Sendable {
  /// The VM's name.
  public var machine: String
  /// What it serves.
  public var endpoint: EndpointKey

  /// Joins the two.
  public init(machine: String, endpoint: EndpointKey) {
    self.machine = machine
    self.endpoint = endpoint
  }
}

extension BackendKey: Comparable {
  /// Orders by VM, then by endpoint.
  public static func < (a: Self, b: Self) -> Bool { (a.machine, a.endpoint) < (b.machine, b.endpoint) }
}

/// What a host last reported of a backend.
public struct BackendHealth: Codable, Hashable, Sendable {
  /// Whether it can serve.
  public var isHealthy: Bool
  /// Why, in a few words.
  public var reason: String

  /// Describes a backend's health.
  public init(isHealthy: Bool, reason: String) {
    self.isHealthy = isHealthy
    self.reason = reason
  }
}

extension HealthChange {
  /// The same with the beginning of its reason, on one line: so many octets in a listing and in an entry of the log,
  /// whatever the agent says.
  ///
  /// It is cut between scalars, since one character may consist of any number of them.
  var trimmed: HealthChange {
    var octets = 0
    let beginning = reason.unicodeScalars.prefix { scalar in
      octets += UTF8.width(scalar)
      return octets <= Limits.healthReasonLength
    }
    var change = self
    // As JSON a control character would take six octets; and what else breaks lines, or steers a terminal, does not.
    change.reason = String(String.UnicodeScalarView(beginning.map { $0.isPrintable ? $0 : " " }))
    return change
  }
}

extension Unicode.Scalar {
  /// Whether it stays on its line and steers no terminal.
  fileprivate var isPrintable: Bool {
    switch properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator: false
    default: true
    }
  }
}
