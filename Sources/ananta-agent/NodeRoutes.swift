internal import Platform
internal import Wire

/// The kernel's routes into our devices, and rules past them: what the roles want, and nothing else that bears
/// Ananta's mark.
actor NodeRoutes {
  /// Behind each route into a device, so that packets end here when the device is gone with its agent, and do
  /// not wander back to the router by the default route.
  static let blackholeMetric: UInt32 = 4000

  private let roles: Int
  private var wanted: [String: Set<Route>] = [:]
  private var installed: Set<Route> = []
  private var rules: Set<RoutingRule> = []

  /// `roles` is how many will call `set`; until all have, routes of an earlier process are left alone.
  init(roles: Int) { self.roles = roles }

  /// Routes each destination into its device, for one role; returns what could not be done.
  func set(_ destinations: [IPv4Prefix: String], for role: String) -> [String] {
    var routes: Set<Route> = []
    for (destination, device) in destinations {
      routes.insert(Route(to: destination, device: device))
      routes.insert(.blackhole(destination, metric: Self.blackholeMetric))
    }
    wanted[role] = routes
    return bring(to: wanted.values.reduce(into: []) { $0.formUnion($1) })
  }

  /// Brings the kernel to these rules and no others of ours; returns what could not be done.
  ///
  /// New ones come before old ones go.
  func setRules(_ wanted: Set<RoutingRule>) -> [String] {
    rules = wanted
    do throws(PlatformError) {
      let netlink = try Netlink.open()
      let present = Set(try netlink.rules(origin: .ananta))
      for rule in wanted.subtracting(present).sorted(by: { $0.description < $1.description }) {
        try netlink.addRule(rule)
      }
      for rule in present.subtracting(wanted).sorted(by: { $0.description < $1.description }) {
        try netlink.removeRule(rule)
      }
      return []
    } catch {
      return [error.description]
    }
  }

  /// Compares with what the kernel really has, and mends it.
  func repair() -> [String] {
    guard wanted.count == roles else { return [] }
    do throws(PlatformError) {
      let netlink = try Netlink.open()
      installed = Set(try netlink.routes(origin: .ananta))
    } catch {
      return [error.description]
    }
    return setRules(rules) + bring(to: wanted.values.reduce(into: []) { $0.formUnion($1) })
  }

  private func bring(to goal: Set<Route>) -> [String] {
    let missing = goal.subtracting(installed).sorted { $0.description < $1.description }
    let stale = installed.subtracting(goal).sorted { $0.description < $1.description }
    guard !missing.isEmpty || !stale.isEmpty else { return [] }
    var problems: [String] = []
    do throws(PlatformError) {
      let netlink = try Netlink.open()
      for route in missing {
        do throws(PlatformError) {
          try netlink.replaceRoute(route)
          installed.insert(route)
        } catch {
          problems.append(error.description)
        }
      }
      for route in stale {
        do throws(PlatformError) {
          try netlink.removeRoute(route)
          installed.remove(route)
        } catch {
          problems.append(error.description)
        }
      }
    } catch {
      problems.append(error.description)
    }
    return problems
  }
}
