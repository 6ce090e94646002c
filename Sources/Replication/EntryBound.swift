import Control
import Manager

/// At most so many octets an entry has as JSON, found without writing it: for one of ordinary size that is enough to
/// know that the log takes it.
///
/// A text may have six octets for each of its own, since `\u001f` is how JSON writes one (RFC 8259 §7). What is of
/// fixed form, names of fields included, has a generous constant. A new field of a resource belongs here, and into
/// `EntryBoundTests`.
enum EntryBound {
  /// Nil for entries that only writing tells.
  static func octets(of entry: Entry) -> Int? {
    guard case .operation(let operation, let author) = entry else { return nil }
    let envelope = 256 + text(author.name)
    switch operation {
    case .apply(let resources): return resources.reduce(envelope) { $0 + octets(of: $1) }
    case .delete(let keys): return keys.reduce(envelope) { $0 + 64 + text($1.name) }
    }
  }

  private static func octets(of resource: Resource) -> Int {
    switch resource {
    case .node(let node): return 256 + text(node.name) + 16 * node.roles.count
    case .virtualNetwork(let network): return 128 + text(network.name) + 24 * network.prefixes.count
    case .virtualMachine(let machine):
      let (namespace, device) =
        switch machine.attachment {
        case .networkNamespace(let name, let device, _): (name, device)
        }
      return 384 + text(machine.name) + text(machine.network) + text(machine.host) + text(namespace)
        + text(device)
    case .service(let service):
      let fixed = 256 + text(service.name)
      let outbound = service.snat.reduce(0) { $0 + 8 + text($1) }
      return service.endpoints.reduce(fixed + outbound) { $0 + octets(of: $1) }
    }
  }

  private static func octets(of endpoint: Endpoint) -> Int {
    var octets = 640 + text(endpoint.name)
    if case .http(let path)? = endpoint.probe?.method { octets += text(path) }
    return endpoint.backends.reduce(octets) { $0 + 64 + text($1.machine) }
  }

  private static func text(_ text: String) -> Int { 6 * text.utf8.count }
}
