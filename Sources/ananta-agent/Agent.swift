internal import Control
internal import Logging
internal import Manifest
internal import Platform
internal import ServiceLifecycle
internal import UnixSignals

/// A node's roles, made from the configuration and run until the process is told to end.
struct Agent {
  private let configuration: AgentConfiguration
  private let logger: Logger

  init(_ configuration: AgentConfiguration, logger: Logger) {
    self.configuration = configuration
    self.logger = logger
  }

  /// Runs all roles; returns after a graceful end.
  func run() async throws {
    try DataDirectory.prepare(configuration.dataDirectory)
    var services: [any ServiceLifecycle.Service] = []
    if let manager = configuration.manager {
      services.append(try ManagerRole(manager, configuration, logger: logger))
    }
    if configuration.host != nil || configuration.mux != nil { try prepareNode() }
    let routes = NodeRoutes(roles: (configuration.host == nil ? 0 : 1) + (configuration.mux == nil ? 0 : 1))
    var paths: [any DataPath] = []
    if let settings = configuration.mux {
      paths.append(try MuxRole(settings, configuration, routes: routes, logger: logger))
    }
    var health: HealthBoard?
    var ports: PortBoard?
    if let settings = configuration.host {
      // `ananta0` is the MUX's where there is one.
      let first = configuration.mux == nil ? 0 : 1
      let role = try HostRole(
        settings, configuration, firstDevice: first, routes: routes, logger: logger)
      health = role.health
      ports = role.ports
      paths.append(role)
    }
    if !paths.isEmpty {
      let link = NodeLink(configuration, paths: paths, health: health, ports: ports, logger: logger)
      services.append(link)
    }
    logger.info(
      "running",
      metadata: ["node": "\(configuration.node)", "roles": "\(configuration.roles.map(\.rawValue))"])
    let group = ServiceGroup(
      configuration: ServiceGroupConfiguration(
        services: services.map { ServiceGroupConfiguration.ServiceConfiguration(service: $0) },
        gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
    try await group.run()
  }

  /// Makes the node a router that lets our packets pass, or says in one sentence why it cannot be one.
  private func prepareNode() throws {
    var complaint: String?
    do throws(PlatformError) {
      complaint = try Capabilities.effective().complaint(needing: [.netAdmin, .sysAdmin])
    } catch {
      throw AgentError.platform(error.description)
    }
    if let complaint { throw AgentError.platform(complaint) }
    do throws(PlatformError) {
      for finding in try SysctlRequirement.repair(SysctlRequirement.node(devices: [])) {
        logger.notice("changed a kernel setting", metadata: ["setting": "\(finding)"])
      }
    } catch {
      throw AgentError.platform(error.description)
    }
  }
}
