import Control
import Wire

extension AgentConfiguration {
  /// Reads the agent's file.
  ///
  /// - Throws: everything that is wrong with it.
  public static func read(_ text: String, file: String) throws(ManifestErrors) -> AgentConfiguration {
    let type = YAMLType<AgentConfiguration>.mapping(
      expects: "the agent's configuration", AgentFile.configuration)
    return try YAMLDocument.read(text, file: file, as: type)
  }
}

/// Reads the keys of the agent's file.
private enum AgentFile {
  static func configuration(_ file: inout YAMLMapping) -> AgentConfiguration? {
    let node = file.required("node", as: .name)
    let address = file.required("address", as: .address)
    let roles = file.required("roles", as: .roles)
    let managers = file.required(
      "managers", as: .list(of: .managerAddress, atLeast: 1, atMost: Limits.managers))
    let security = file.required("security", as: .security)
    let directory = file.required("dataDirectory", as: .path)
    let muxType = YAMLType<MuxConfiguration>.mapping { Self.mux(&$0, address: address) }
    let mux = section("mux", of: .mux, roles: roles, as: muxType, in: &file)
    var host = section("host", of: .host, roles: roles, as: .mapping(Self.host), isNeeded: false, in: &file)
    let manager = section("manager", of: .manager, roles: roles, as: .mapping(Self.manager), in: &file)
    guard let node, let address, let roles, let managers, let security, let directory else { return nil }
    if roles.contains(.host), host == nil { host = HostConfiguration() }
    return AgentConfiguration(
      node: node, address: address, roles: roles, managers: managers, security: security,
      dataDirectory: directory, mux: mux, host: host, manager: manager)
  }

  private static func section<Value>(
    _ key: String, of role: Role, roles: [Role]?, as type: YAMLType<Value>, isNeeded: Bool = true,
    in file: inout YAMLMapping
  ) -> Value? {
    guard let roles else { return file.optional(key, as: type) }
    if roles.contains(role) {
      return isNeeded ? file.required(key, as: type) : file.optional(key, as: type)
    }
    if file.has(key) {
      file.errors.add("is of no use, since roles do not name \(role)", at: file.position(of: key), path: key)
    }
    file.skip(key)
    return nil
  }

  private static func mux(_ mux: inout YAMLMapping, address: IPv4Address?) -> MuxConfiguration? {
    let workers = mux.optional("workers", as: .integer(1...Limits.workers))
    let mtu = mux.optional("mtu", as: .mtu, default: 1500)
    let path = mux.optional("path", as: .oneOf(MuxPath.self), default: .auto)
    let uplinks = Self.uplinks(&mux)
    let bgp = mux.required("bgp", as: .mapping { Self.bgp(&$0, address: address) })
    return bgp.map { MuxConfiguration(workers: workers, mtu: mtu, bgp: $0, path: path, uplinks: uplinks) }
  }

  private static func bgp(_ bgp: inout YAMLMapping, address: IPv4Address?) -> BGPConfiguration? {
    let localAS = bgp.required("localAS", as: .autonomousSystem)
    let routerID = bgp.optional("routerID", as: .address) ?? address
    let holdTime = bgp.optional("holdTime", as: .holdTime, default: 9)
    let connectRetry = bgp.optional("connectRetry", as: .duration(100...300_000), default: 5000)
    let neighbors = bgp.required(
      "neighbors", as: .list(of: .mapping(neighbor), atLeast: 1, atMost: Limits.neighbors))
    guard let localAS, let routerID, let neighbors else { return nil }
    if Set(neighbors.map(\.address)).count < neighbors.count {
      let position = bgp.position(of: "neighbors")
      bgp.errors.add("names an address twice", at: position, path: bgp.value.path(of: "neighbors"))
    }
    return BGPConfiguration(
      localAS: localAS, routerID: routerID, holdTimeSeconds: holdTime, connectRetryMilliseconds: connectRetry,
      neighbors: neighbors)
  }

  private static func neighbor(_ neighbor: inout YAMLMapping) -> BGPNeighbor? {
    let address = neighbor.required("address", as: .address)
    let remoteAS = neighbor.required("remoteAS", as: .autonomousSystem)
    let port = neighbor.optional("port", as: .port, default: 179)
    let password = neighbor.optional("password", as: .password)
    guard let address, let remoteAS else { return nil }
    return BGPNeighbor(address: address, remoteAS: remoteAS, port: port, password: password)
  }

  private static func host(_ host: inout YAMLMapping) -> HostConfiguration? {
    let workers = host.optional("workers", as: .integer(1...Limits.workers), default: 1)
    let mtu = host.optional("mtu", as: .hostMTU, default: 1500)
    let uplinks = Self.uplinks(&host)
    return HostConfiguration(workers: workers, mtu: mtu, uplinks: uplinks)
  }

  /// Devices; each once.
  private static func uplinks(_ role: inout YAMLMapping) -> [String] {
    let uplinks = role.optional("uplinks", as: .list(of: .device, atLeast: 1, atMost: Limits.uplinks))
    guard let uplinks else { return [] }
    if Set(uplinks).count < uplinks.count {
      let position = role.position(of: "uplinks")
      role.errors.add("names a device twice", at: position, path: role.value.path(of: "uplinks"))
    }
    return uplinks
  }

  private static func manager(_ manager: inout YAMLMapping) -> ManagerConfiguration? {
    manager.required("listen", as: .managerAddress).map(ManagerConfiguration.init)
  }
}

extension YAMLType where Value == AgentConfiguration.Security {
  /// The word `plaintext`, or a mapping with the key `tls`.
  fileprivate static var security: YAMLType {
    let expects = "plaintext, or tls with ca, certificate and key"
    let mapping = YAMLType.mapping { security in security.required("tls", as: .mapping(Self.tls)) }
    return YAMLType(expects: expects) { value, errors in
      switch value.content {
      case .scalar("plaintext", _): return .plaintext
      case .mapping: return mapping.read(value, errors)
      case .scalar, .sequence:
        errors.add("must be \(expects), not \(quote(value))", at: value)
        return nil
      }
    }
  }

  private static func tls(_ tls: inout YAMLMapping) -> AgentConfiguration.Security? {
    let authority = tls.required("ca", as: .path)
    let certificate = tls.required("certificate", as: .path)
    let key = tls.required("key", as: .path)
    guard let authority, let certificate, let key else { return nil }
    return .tls(authority: authority, certificate: certificate, key: key)
  }
}

extension YAMLType where Value == Int {
  /// From what every IPv4 host must take (RFC 791) to the largest packet.
  fileprivate static var mtu: YAMLType { integer(576...65535) }

  /// A VM's device has 20 bytes less, and must still take what every IPv4 host must.
  fileprivate static var hostMTU: YAMLType { integer(596...65535) }

  /// RFC 4271, section 4.2: zero or at least three whole seconds, in 16 bits.
  fileprivate static var holdTime: YAMLType {
    .text(expects: "0s or whole seconds from 3s to 65535s") { text in
      guard let milliseconds = text == "0" ? 0 : DurationText.milliseconds(text) else { return nil }
      let seconds = milliseconds / 1000
      let isRight = milliseconds % 1000 == 0 && (seconds == 0 || (3...65535).contains(seconds))
      return isRight ? seconds : nil
    }
  }
}

extension YAMLType where Value == UInt32 {
  /// RFC 6793; 0 (RFC 7607), AS_TRANS and the last numbers (RFC 7300) are nobody's.
  fileprivate static var autonomousSystem: YAMLType {
    .text(expects: "an autonomous system from 1 to 4294967294") { text in
      guard let number = UInt32(text), number > 0, number < .max, "\(number)" == text else { return nil }
      return number == 23456 || number == 65535 ? nil : number
    }
  }
}

extension YAMLType where Value == String {
  fileprivate static var path: YAMLType {
    string.checked(expects: "an absolute path") { path in
      path.hasPrefix("/") && path.utf8.count < 4096 && !path.utf8.contains(0)
    }
  }

  /// A password of digits alone is still text.
  fileprivate static var password: YAMLType {
    .text(expects: "a password of at most \(Limits.md5KeyLength) bytes") { text in
      (1...Limits.md5KeyLength).contains(text.utf8.count) ? text : nil
    }
  }
}
