public import Wire

/// Why lists do not make a host map.
public enum HostMapError: Error, Hashable, Sendable {
  /// More MUXes than `Limits.muxes`.
  case tooManyMuxes(Int)
  /// More endpoints than `Limits.endpoints`.
  case tooManyEndpoints(Int)
  /// An index of `Limits.machines` or above.
  case indexTooBig(UInt32)
  /// Two VMs with one index.
  case repeatedIndex(UInt32)
  /// Two VMs with one locator, or one without.
  case repeatedLocator(IPv4Address)
  /// An MTU below `Limits.smallestMTU` or above `Limits.largestMTU`.
  case badMTU(IPv4Address, Int)
  /// An endpoint of a VM that is not in the list.
  case unknownMachine(HostMap.Endpoint)
  /// An endpoint that is neither TCP nor UDP.
  case badProtocol(HostMap.Endpoint)
  /// An endpoint without address or port.
  case zero(HostMap.Endpoint)
  /// Two endpoints of one VM with the same VIP, protocol and port.
  case repeatedEndpoint(HostMap.Endpoint)
}

extension HostMapError: CustomStringConvertible {
  /// One sentence: what is wrong and what would be right.
  public var description: String {
    switch self {
    case .tooManyMuxes(let count):
      "\(count) MUXes are more than a host accepts packets from; at most \(Limits.muxes) are possible"
    case .tooManyEndpoints(let count):
      "\(count) endpoints are too many for one host; at most \(Limits.endpoints) are possible"
    case .indexTooBig(let index):
      "VM index \(index) is too big; indices end at \(Limits.machines - 1)"
    case .repeatedIndex(let index): "VM index \(index) is given twice; each VM needs its own"
    case .repeatedLocator(let locator): "locator \(locator) is given twice or is zero; each VM needs its own"
    case .badMTU(let locator, let mtu):
      "MTU \(mtu) of VM \(locator) is outside of \(Limits.smallestMTU) to \(Limits.largestMTU)"
    case .unknownMachine(let endpoint):
      "endpoint \(endpoint.vip):\(endpoint.port) names VM index \(endpoint.machine), which is not on this host"
    case .badProtocol(let endpoint):
      "endpoint \(endpoint.vip):\(endpoint.port) has IP protocol \(endpoint.proto.rawValue); 6 and 17 can be"
    case .zero(let endpoint):
      "endpoint \(endpoint.vip):\(endpoint.port) lacks a VIP, a port or a backend port"
    case .repeatedEndpoint(let endpoint):
      "endpoint \(endpoint.vip):\(endpoint.port) is given twice for VM index \(endpoint.machine)"
    }
  }
}
