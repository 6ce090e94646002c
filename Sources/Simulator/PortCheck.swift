import Control
import Wire

/// No port is ever two VMs': what each host may use by its own state, whatever managers believe.
struct PortCheck: Sendable {
  private struct User: Equatable {
    var agent: Int
    var locator: IPv4Address
  }

  private var users: [PortRange: User] = [:]
  private var used: [[PortLease]]

  init(agents: Int) { used = Array(repeating: [], count: agents) }

  /// A host may use these, and no others, from now on.
  mutating func uses(_ leases: [PortLease], _ agent: Int) throws(Finding) {
    for lease in used[agent] { users[lease.range] = nil }
    used[agent] = leases
    var clash: PortRange?
    for lease in leases {
      let user = User(agent: agent, locator: lease.locator)
      if let other = users[lease.range], other != user { clash = min(clash ?? lease.range, lease.range) }
      users[lease.range] = user
    }
    if let clash {
      throw Finding(rule: .ports, text: "\(clash) may be used by two VMs, one of them on node\(agent)")
    }
  }
}
