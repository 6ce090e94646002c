public import Control

/// What an operator can ask about; several names mean the same.
public enum Subject: String, CaseIterable, Sendable {
  case nodes, muxes, hosts, managers, networks, vms, services, endpoints, backends, snat, all

  /// Reads a plural, singular or short name, or the `kind` of a manifest.
  public init?(name: String) {
    let name = name.lowercased()
    guard let subject = Self.allCases.first(where: { $0.names.contains(name) }) else { return nil }
    self = subject
  }

  /// Every name, the plural first.
  public var names: [String] {
    switch self {
    case .nodes: ["nodes", "node", "no"]
    case .muxes: ["muxes", "mux"]
    case .hosts: ["hosts", "host"]
    case .managers: ["managers", "manager", "mgr"]
    case .networks: ["networks", "network", "net", "virtualnetworks", "virtualnetwork", "vn"]
    case .vms: ["vms", "vm", "virtualmachines", "virtualmachine"]
    case .services: ["services", "service", "svc"]
    case .endpoints: ["endpoints", "endpoint", "ep"]
    case .backends: ["backends", "backend", "be"]
    case .snat: ["snat", "vips", "vip"]
    case .all: ["all"]
    }
  }

  /// As it stands before a name: `service/blue`.
  public var singular: String { names.count > 1 && self != .snat ? names[1] : names[0] }

  /// The kind of manifest behind it; nil when it is only a view of others.
  public var kind: Kind? {
    switch self {
    case .nodes, .muxes, .hosts: .node
    case .networks: .virtualNetwork
    case .vms: .virtualMachine
    case .services: .service
    case .managers, .endpoints, .backends, .snat, .all: nil
    }
  }

  /// Whether a state has it: everything is several of them, and managers are asked of themselves.
  public var isPartOfState: Bool { self != .all && self != .managers }
}

extension ResourceKey {
  /// `service/blue`, as operators type it.
  public var commandLineName: String {
    let subject: Subject =
      switch kind {
      case .node: .nodes
      case .virtualNetwork: .networks
      case .virtualMachine: .vms
      case .service: .services
      }
    return "\(subject.singular)/\(name)"
  }
}
