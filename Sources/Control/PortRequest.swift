public import Wire

/// A host asks for more ports, since a VM of its has a connection for which none of those it has will do.
///
/// At most one is under way for each VM; the answer is a lease, or a `PortRefusal`.
public struct PortRequest: Codable, Hashable, Sendable {
  /// The VM, by its locator.
  public var locator: IPv4Address

  /// Names the VM.
  public init(locator: IPv4Address) { self.locator = locator }
}

/// Why a VM gets no more ports for now.
public struct PortRefusal: Codable, Hashable, Sendable {
  /// Of what sort the reason is.
  public enum Reason: String, CaseIterable, Codable, Hashable, Sendable {
    /// The VM has as many as its service allows.
    case cap
    /// The VM asks too often.
    case rate
    /// All ports of the service's VIPs are taken.
    case exhausted
    /// No service lets the VM out, or the VM is not on the host that asks.
    case noService
    /// The manager has too much to do.
    case overloaded
    /// No MUX runs, so that no answer would find its way.
    case noMux
  }
  /// The VM, by its locator.
  public var locator: IPv4Address
  /// Why.
  public var reason: Reason
  /// The host does not ask again for this VM before that time.
  public var retryAfterMilliseconds: UInt32

  /// Describes a refusal.
  public init(locator: IPv4Address, reason: Reason, retryAfterMilliseconds: UInt32) {
    self.locator = locator
    self.reason = reason
    self.retryAfterMilliseconds = retryAfterMilliseconds
  }
}

/// Which ranges an operator wants back; connections that use them end within
/// `Limits.recallMilliseconds`.
public enum PortRecall: Codable, Hashable, Sendable {
  /// All that a VM has.
  case machine(String)
  /// One range.
  case range(PortRange)
  /// All of a VIP.
  case vip(IPv4Address)
}
