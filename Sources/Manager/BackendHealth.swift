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
