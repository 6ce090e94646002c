/// A stage of the manager (Ananta §4, figure 10): one kind of work with queues of its own (SEDA §3.2).
public enum Stage: Int, CaseIterable, Hashable, Sendable {
  /// Manifests are checked as a whole before anything is replicated.
  case vipValidation
  /// Committed entries become commands to MUXes and hosts.
  case vipConfiguration
  /// VIPs are announced and withdrawn.
  case routeManagement
  /// Ranges of ports are leased to hosts.
  case snatManagement
  /// Hosts' liveness, their commands and acknowledgements, the health of backends.
  case hostAgentManagement
  /// MUXes' liveness, their commands and acknowledgements.
  case muxPoolManagement

  /// The stage as logs and metrics say it.
  public var name: String {
    switch self {
    case .vipValidation: "vip-validation"
    case .vipConfiguration: "vip-configuration"
    case .routeManagement: "route-management"
    case .snatManagement: "snat-management"
    case .hostAgentManagement: "host-agent-management"
    case .muxPoolManagement: "mux-pool-management"
    }
  }
}
