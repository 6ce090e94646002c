public import Control
import Wire

/// Writes resources as manifests: every key in the order of `docs/configuration.md`, defaults included.
public enum ManifestWriter {
  /// One document, without `---`.
  public static func text(_ resource: Resource) -> String {
    var text = YAMLText()
    text.pair("kind", resource.key.kind.rawValue)
    text.mapping("metadata") { $0.pair("name", resource.key.name) }
    text.mapping("spec") { spec in
      switch resource {
      case .node(let node): write(node, to: &spec)
      case .virtualNetwork(let network): spec.list("prefixes", network.prefixes.map(\.description))
      case .virtualMachine(let machine): write(machine, to: &spec)
      case .service(let service): write(service, to: &spec)
      }
    }
    return text.text
  }

  /// Several documents, separated by `---`.
  public static func text(_ resources: [Resource]) -> String {
    resources.map(text(_:)).joined(separator: "---\n")
  }

  private static func write(_ node: Node, to spec: inout YAMLText) {
    spec.pair("address", node.address.description)
    spec.list("roles", node.roles.map(\.rawValue))
    if let locators = node.locators { spec.pair("locators", locators.description) }
  }

  private static func write(_ machine: VirtualMachine, to spec: inout YAMLText) {
    spec.pair("network", machine.network)
    spec.pair("dip", machine.dip.description)
    spec.pair("host", machine.host)
    spec.mapping("attachment") { attachment in
      switch machine.attachment {
      case .networkNamespace(let name, let device):
        attachment.pair("netns", name)
        attachment.pair("device", device)
      }
    }
  }

  private static func write(_ service: Service, to spec: inout YAMLText) {
    spec.pair("vip", service.vip.description)
    spec.list("endpoints", service.endpoints) { write($1, to: &$0) }
    spec.list("snat", service.snat)
    spec.pair("fastPath", bare: "\(service.fastPath)")
  }

  private static func write(_ endpoint: Endpoint, to text: inout YAMLText) {
    text.pair("name", endpoint.name)
    text.pair("protocol", "\(endpoint.transport)")
    text.pair("port", bare: "\(endpoint.port)")
    text.pair("backendPort", bare: "\(endpoint.backendPort)")
    text.pair("affinity", endpoint.affinity.rawValue)
    text.pair("idleTimeout", DurationText.text(milliseconds: endpoint.idleTimeoutMilliseconds))
    text.list("backends", endpoint.backends) { text, backend in
      text.pair("vm", backend.machine)
      text.pair("weight", bare: "\(backend.weight)")
    }
    guard let probe = endpoint.probe else { return }
    text.mapping("probe") { write(probe, to: &$0) }
  }

  private static func write(_ probe: Probe, to text: inout YAMLText) {
    switch probe.method {
    case .tcp: text.pair("tcp", bare: "{}")
    case .http(let path): text.mapping("http") { $0.pair("path", path) }
    }
    text.pair("port", bare: "\(probe.port)")
    text.pair("interval", DurationText.text(milliseconds: probe.intervalMilliseconds))
    text.pair("timeout", DurationText.text(milliseconds: probe.timeoutMilliseconds))
    text.pair("threshold", bare: "\(probe.threshold)")
  }
}
