import Control
import Wire

/// Reads one document: `kind`, `metadata`, `spec`.
struct ResourceReader {
  let errors: YAMLErrors

  /// Nil when an error has been reported.
  func read(_ document: YAMLValue) -> Resource? {
    guard var mapping = YAMLMapping(document, errors: errors) else { return nil }
    // The kind first: without it nothing else can be judged, and guessing would bury the cause.
    guard let kind = mapping.required("kind", as: .oneOf(Kind.self)) else { return nil }
    let name = mapping.required("metadata", as: Self.metadata)
    let resource = mapping.required("spec", as: Self.spec(kind, name: name ?? ""))
    mapping.finish()
    return name == nil ? nil : resource
  }

  private static var metadata: YAMLType<String> {
    .mapping(expects: "a mapping with a name") { $0.required("name", as: .name) }
  }

  private static func spec(_ kind: Kind, name: String) -> YAMLType<Resource> {
    switch kind {
    case .node: .mapping { node(&$0, name: name).map(Resource.node) }
    case .virtualNetwork: .mapping { network(&$0, name: name).map(Resource.virtualNetwork) }
    case .virtualMachine: .mapping { machine(&$0, name: name).map(Resource.virtualMachine) }
    case .service: .mapping { ServiceReader.service(&$0, name: name).map(Resource.service) }
    }
  }

  private static func node(_ spec: inout YAMLMapping, name: String) -> Node? {
    let address = spec.required("address", as: .address)
    let roles = spec.required("roles", as: .roles)
    let locators = spec.optional("locators", as: .prefix)
    guard let address, let roles else { return nil }
    return Node(name: name, address: address, roles: roles, locators: locators)
  }

  private static func network(_ spec: inout YAMLMapping, name: String) -> VirtualNetwork? {
    let prefixes = spec.required("prefixes", as: .list(of: .prefix, atLeast: 1))
    return prefixes.map { VirtualNetwork(name: name, prefixes: $0) }
  }

  private static func machine(_ spec: inout YAMLMapping, name: String) -> VirtualMachine? {
    let network = spec.required("network", as: .name)
    let dip = spec.required("dip", as: .address)
    let host = spec.required("host", as: .name)
    let attachment = spec.required(
      "attachment",
      as: .mapping(expects: "a mapping with netns") { (attachment: inout YAMLMapping) -> Attachment? in
        let netns = attachment.required("netns", as: .fileName)
        let device = attachment.optional("device", as: .device, default: "eth0")
        let kind = attachment.optional("type", as: .oneOf(DeviceKind.self), default: .tun)
        return netns.map { .networkNamespace(name: $0, device: device, kind: kind) }
      })
    guard let network, let dip, let host, let attachment else { return nil }
    return VirtualMachine(name: name, network: network, dip: dip, host: host, attachment: attachment)
  }
}

extension YAMLType where Value == [Role] {
  /// Roles of a node, each once; sorted by name, since their order means nothing.
  static var roles: YAMLType {
    YAMLType(expects: "a list of host, mux, manager") { value, errors in
      guard let roles = YAMLType<[Role]>.list(of: .oneOf(Role.self), atLeast: 1).read(value, errors) else {
        return nil
      }
      guard Set(roles).count == roles.count else {
        errors.add("names a role twice", at: value)
        return nil
      }
      return roles.sorted { $0.rawValue < $1.rawValue }
    }
  }
}
