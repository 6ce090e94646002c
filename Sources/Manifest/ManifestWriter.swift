public import Control
import Wire

/// Writes resources as manifests: every key in the order of `docs/configuration.md`, defaults included.
public enum ManifestWriter {
  /// One document, without `---`.
  public static func text(_ resource: Resource) -> String { value(resource).yaml }

  /// Several documents, separated by `---`.
  public static func text(_ resources: [Resource]) -> String {
    resources.map(text(_:)).joined(separator: "---\n")
  }

  /// `kind`, `metadata` and `spec` as data.
  public static func value(_ resource: Resource) -> StructuredValue {
    .fields(
      ("kind", .text(resource.key.kind.rawValue)), ("metadata", .fields(("name", .text(resource.key.name)))),
      ("spec", spec(resource)))
  }

  private static func spec(_ resource: Resource) -> StructuredValue {
    switch resource {
    case .node(let node):
      .fields(
        ("address", .text(node.address.description)), ("roles", .texts(node.roles.map(\.rawValue)))
      ).adding("locators", node.locators.map { .text($0.description) })
    case .virtualNetwork(let network): .fields(("prefixes", .texts(network.prefixes.map(\.description))))
    case .virtualMachine(let machine): spec(machine)
    case .service(let service):
      .fields(
        ("vip", .text(service.vip.description)), ("endpoints", .list(service.endpoints.map(endpoint))),
        ("snat", .texts(service.snat)), ("snatVIPs", .texts(service.snatVIPs.map(\.description))),
        ("snatPortsPerMachine", .integer(service.snatPortsPerMachine)),
        ("fastPath", .boolean(service.fastPath)))
    }
  }

  private static func spec(_ machine: VirtualMachine) -> StructuredValue {
    let attachment: StructuredValue =
      switch machine.attachment {
      case .networkNamespace(let name, let device, let kind):
        .fields(("netns", .text(name)), ("device", .text(device))).adding(
          "type", kind == .tun ? nil : .text(kind.rawValue))
      }
    return .fields(
      ("network", .text(machine.network)), ("dip", .text(machine.dip.description)),
      ("host", .text(machine.host)), ("attachment", attachment))
  }

  private static func endpoint(_ endpoint: Endpoint) -> StructuredValue {
    let backends = endpoint.backends.map { backend in
      StructuredValue.fields(("vm", .text(backend.machine)), ("weight", .integer(backend.weight)))
    }
    return .fields(
      ("name", .text(endpoint.name)), ("protocol", .text("\(endpoint.transport)")),
      ("port", .integer(Int(endpoint.port))), ("backendPort", .integer(Int(endpoint.backendPort))),
      ("affinity", .text(endpoint.affinity.rawValue)),
      ("idleTimeout", .text(DurationText.text(milliseconds: endpoint.idleTimeoutMilliseconds))),
      ("backends", .list(backends))
    ).adding("probe", endpoint.probe.map(probe))
  }

  private static func probe(_ probe: Probe) -> StructuredValue {
    let method: (String, StructuredValue) =
      switch probe.method {
      case .tcp: ("tcp", .mapping([]))
      case .http(let path): ("http", .fields(("path", .text(path))))
      }
    return .fields(
      method, ("port", .integer(Int(probe.port))),
      ("interval", .text(DurationText.text(milliseconds: probe.intervalMilliseconds))),
      ("timeout", .text(DurationText.text(milliseconds: probe.timeoutMilliseconds))),
      ("threshold", .integer(probe.threshold)))
  }
}
