/// What kind of thing a manifest describes.
public enum Kind: String, CaseIterable, Codable, Hashable, Sendable {
  case node = "Node"
  case virtualNetwork = "VirtualNetwork"
  case virtualMachine = "VirtualMachine"
  case service = "Service"
}

/// Names one resource; unique within the data centre.
public struct ResourceKey: Codable, Hashable, Sendable {
  /// The kind, which has a name space of its own.
  public let kind: Kind
  /// `metadata.name`.
  public let name: String

  /// Joins a kind and a name.
  public init(_ kind: Kind, _ name: String) {
    self.kind = kind
    self.name = name
  }
}

extension ResourceKey: CustomStringConvertible, Comparable {
  /// `Service/web`, as it is printed everywhere.
  public var description: String { "\(kind.rawValue)/\(name)" }

  /// Orders by kind, then by name.
  public static func < (a: Self, b: Self) -> Bool { (a.kind.rawValue, a.name) < (b.kind.rawValue, b.name) }
}

/// One document of a manifest: desired state of one thing.
public enum Resource: Codable, Hashable, Sendable {
  case node(Node)
  case virtualNetwork(VirtualNetwork)
  case virtualMachine(VirtualMachine)
  case service(Service)

  /// Kind and name.
  public var key: ResourceKey {
    switch self {
    case .node(let node): ResourceKey(.node, node.name)
    case .virtualNetwork(let network): ResourceKey(.virtualNetwork, network.name)
    case .virtualMachine(let machine): ResourceKey(.virtualMachine, machine.name)
    case .service(let service): ResourceKey(.service, service.name)
    }
  }
}
