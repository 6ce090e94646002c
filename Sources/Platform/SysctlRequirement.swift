/// A setting that Ananta needs to have a certain value, and why.
public struct SysctlRequirement: Hashable, Sendable {
  /// How the value is judged.
  public enum Comparison: String, Hashable, Sendable {
    /// The number or text must be this one.
    case equal
    /// The number must be this one or more.
    case atLeast
  }

  /// A setting that is not as it should be.
  public struct Finding: Hashable, Sendable {
    /// What was required.
    public let requirement: SysctlRequirement
    /// The value found.
    public let value: String
  }

  /// The path, such as `net/ipv4/ip_forward`.
  public let path: String
  /// The value that is written by a repair.
  public let expected: String
  /// How the value is judged.
  public let comparison: Comparison
  /// What goes wrong otherwise, in one sentence.
  public let reason: String

  /// Describes a requirement.
  public init(_ path: String, _ expected: String, comparison: Comparison = .equal, because reason: String) {
    self.path = path
    self.expected = expected
    self.comparison = comparison
    self.reason = reason
  }

  /// Compares the setting in the calling thread's namespace; nil when it is as required.
  public func check() throws(PlatformError) -> Finding? {
    let value = try Sysctl.read(path)
    return isMet(by: value) ? nil : Finding(requirement: self, value: value)
  }

  /// Whether a value satisfies the requirement.
  public func isMet(by value: String) -> Bool {
    guard let number = Int64(value), let wanted = Int64(expected) else {
      return comparison == .equal && value == expected
    }
    return comparison == .equal ? number == wanted : number >= wanted
  }

  /// Compares settings in the calling thread's namespace.
  public static func check(_ requirements: [SysctlRequirement]) throws(PlatformError) -> [Finding] {
    var findings: [Finding] = []
    for requirement in requirements {
      if let finding = try requirement.check() { findings.append(finding) }
    }
    return findings
  }

  /// Writes what is not as it should be, and says what that was.
  public static func repair(_ requirements: [SysctlRequirement]) throws(PlatformError) -> [Finding] {
    let findings = try check(requirements)
    for finding in findings { try Sysctl.write(finding.requirement.expected, to: finding.requirement.path) }
    return findings
  }
}

extension SysctlRequirement.Finding: CustomStringConvertible {
  /// Path, value found, value required and why.
  public var description: String {
    let relation = requirement.comparison == .equal ? "should be" : "should be at least"
    return "\(requirement.path) is \(value), \(relation) \(requirement.expected): \(requirement.reason)"
  }
}

extension SysctlRequirement {
  /// What every node needs that hosts VMs or is a MUX; `devices` are those that carry Ananta's packets.
  ///
  /// The kernel takes the greater of `all` and a device's own rp_filter, so both are required; `default`
  /// covers devices that appear later.
  public static func node(devices: [String]) -> [SysctlRequirement] {
    let scopes = ["all", "default"] + devices
    let forwarding = SysctlRequirement(
      "net/ipv4/ip_forward", "1",
      because: "packets for VIPs and locators pass through this node to ananta0 and back")
    let reversePath = scopes.map { scope in
      SysctlRequirement(
        "net/ipv4/conf/\(scope)/rp_filter", "0",
        because: "the way back of a DSR or IPIP packet is another device than it came in by")
    }
    let redirects = scopes.map { scope in
      SysctlRequirement(
        "net/ipv4/conf/\(scope)/send_redirects", "0",
        because:
          "a packet may leave by the device it came in by, and senders must not learn to go past the MUX")
    }
    return [forwarding] + reversePath + redirects
  }

  /// What a device needs into which the agent writes packets with this node's own address as their source.
  public static func ownSources(device: String) -> [SysctlRequirement] {
    [
      SysctlRequirement(
        "net/ipv4/conf/\(device)/accept_local", "1",
        because: "the agent writes IPIP packets into it whose source is this node's own address")
    ]
  }
}
