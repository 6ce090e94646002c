#if !$Embedded
public import Wire

/// One step from a VIP map to the next: walks both lists of endpoints in order of address.
struct VIPMapUpdate {
  let old: VIPMap
  let now: UInt32
  var directory: CounterDirectory
  var freeNumbers: [UInt32]
  var nextNumber: UInt32
  var tables: [[WeightedBackend]: BackendTable] = [:]
  var states: [EndpointState] = []
  var vipRows: [VIPRow] = []

  init(of old: VIPMap, now: UInt32) {
    self.old = old
    self.now = now
    directory = old.directory
    freeNumbers = old.freeNumbers
    nextNumber = old.nextNumber
    states.reserveCapacity(old.states.count + 1)
  }

  /// Takes the endpoints, in canonical form and sorted by address.
  mutating func run(_ configurations: [EndpointConfiguration]) {
    var place = 0
    for configuration in configurations {
      while place < old.states.count, old.states[place].configuration.address < configuration.address {
        drop(old.states[place])
        place += 1
      }
      if place < old.states.count, old.states[place].configuration.address == configuration.address {
        change(old.states[place], configuration)
        place += 1
      } else {
        add(configuration)
      }
    }
    for state in old.states[place...] { drop(state) }
  }

  /// Takes the VIPs, sorted, in which one may be named several times.
  mutating func serve(_ vips: [IPv4Address]) {
    var place = 0
    for vip in vips where vipRows.last?.vip != vip {
      while place < old.vipRows.count, old.vipRows[place].vip < vip {
        directory.release(old.vipRows[place].target)
        place += 1
      }
      var row = VIPRow(vip: vip, target: Target(locator: .any, row: 0, generation: 0))
      if place < old.vipRows.count, old.vipRows[place].vip == vip {
        row = old.vipRows[place]
        place += 1
      }
      // Also one for which there was no room before.
      if row.target.row == 0 { row = VIPRow(vip: vip, target: directory.allocate(row.address, .any)) }
      vipRows.append(row)
    }
    for row in old.vipRows[place...] { directory.release(row.target) }
  }

  private mutating func drop(_ state: EndpointState) {
    for target in state.counted { directory.release(target) }
    freeNumbers.append(state.number)
  }

  private mutating func add(_ configuration: EndpointConfiguration) {
    let number: UInt32
    if let free = freeNumbers.popLast() {
      number = free
    } else {
      number = nextNumber
      nextNumber += 1
    }
    let targets = configuration.backends.map { directory.allocate(configuration.address, $0.locator) }
    states.append(
      EndpointState(
        configuration, number: number, table: table(of: configuration), targets: targets, movement: nil))
  }

  private mutating func change(_ state: EndpointState, _ configuration: EndpointConfiguration) {
    if state.configuration == configuration { return keep(state) }
    let counted = state.counted
    let targets = configuration.backends.map { backend in
      counted.first { $0.locator == backend.locator }
        ?? directory.allocate(configuration.address, backend.locator)
    }
    let table = table(of: configuration)
    let movement = Movement(from: state, to: table, targets: targets, now: now)
    let next = EndpointState(
      configuration, number: state.number, table: table, targets: targets, movement: movement)
    release(counted, keptBy: next)
    states.append(next)
  }

  private mutating func keep(_ state: EndpointState) {
    tables[state.table.backends] = state.table
    let idleTimeout = state.configuration.idleTimeout
    guard let movement = state.movement, movement.isSettled(now: now, idleTimeout: idleTimeout) else {
      states.append(state)
      return
    }
    let next = state.settled()
    release(state.counted, keptBy: next)
    states.append(next)
  }

  private mutating func release(_ targets: [Target], keptBy state: EndpointState) {
    let kept = state.counted
    for target in targets where !kept.contains(target) { directory.release(target) }
  }

  /// The table of an endpoint's backends, without those that drain: one that exists already, if there is one.
  private mutating func table(of configuration: EndpointConfiguration) -> BackendTable {
    let backends = Array(configuration.backends.prefix { $0.weight > 0 })
    if let table = tables[backends] ?? old.tables[backends] {
      tables[backends] = table
      return table
    }
    let table = BackendTable(backends, hash: old.hash, slotCount: old.slotCount)
    tables[backends] = table
    return table
  }
}

extension VIPMap {
  /// The map after the endpoints have become these; what did not change is shared with this one.
  ///
  /// Slots whose backend changes begin to move at `now`, milliseconds on the clock that workers pass to
  /// `process`. `vips` names VIPs that are ours though no endpoint is on them. A new table takes some
  /// milliseconds.
  public func updated(
    endpoints: [EndpointConfiguration], vips: [IPv4Address] = [], now: UInt32
  ) throws(VIPMapError) -> VIPMap {
    guard endpoints.count <= Limits.endpoints else { throw .tooManyEndpoints(endpoints.count) }
    var sorted: [EndpointConfiguration] = []
    sorted.reserveCapacity(endpoints.count)
    for endpoint in endpoints { sorted.append(try canonical(endpoint)) }
    sorted.sort { $0.address < $1.address }
    for place in sorted.indices.dropFirst() where sorted[place - 1].address == sorted[place].address {
      throw .duplicateEndpoint(sorted[place].address)
    }
    return next(sorted, plainVIPs: vips.sorted(), now: now)
  }

  /// The map without movements that have come to rest; nil when there is none to take away.
  ///
  /// To be called about once a second while `isMoving`, so that memory comes back and packets are fast
  /// again. At the latest after 20 days, before the clock's difference loses its sign.
  public func settled(now: UInt32) -> VIPMap? {
    let hasSettled = states.contains { state in
      state.movement?.isSettled(now: now, idleTimeout: state.configuration.idleTimeout) ?? false
    }
    return hasSettled ? next(endpoints, plainVIPs: plainVIPs, now: now) : nil
  }

  private func next(
    _ configurations: [EndpointConfiguration], plainVIPs: [IPv4Address], now: UInt32
  ) -> VIPMap {
    var update = VIPMapUpdate(of: self, now: now)
    update.run(configurations)
    update.serve((plainVIPs + configurations.map(\.vip)).sorted())
    return VIPMap(
      hash: hash, slotCount: slotCount, states: update.states, plainVIPs: plainVIPs,
      vipRows: update.vipRows, directory: update.directory, freeNumbers: update.freeNumbers,
      nextNumber: update.nextNumber, tables: update.tables)
  }

  /// Sorted by locator, so that the same set makes the same table, and those of weight 0 last.
  private func canonical(
    _ endpoint: EndpointConfiguration
  ) throws(VIPMapError) -> EndpointConfiguration {
    let address = endpoint.address
    guard endpoint.proto == .tcp || endpoint.proto == .udp else { throw .unknownProtocol(address) }
    guard endpoint.backends.count <= min(Limits.backends, slotCount / 2) else {
      throw .tooManyBackends(address, endpoint.backends.count)
    }
    var result = endpoint
    result.idleTimeout = min(endpoint.idleTimeout, Limits.idleTimeoutMilliseconds)
    result.backends.sort()
    for place in result.backends.indices.dropFirst()
    where result.backends[place - 1].locator == result.backends[place].locator {
      throw .duplicateBackend(address, result.backends[place].locator)
    }
    for backend in result.backends where backend.weight < 0 || backend.weight > Limits.weight {
      throw .weight(address, backend.locator, backend.weight)
    }
    result.backends = result.backends.filter { $0.weight > 0 } + result.backends.filter { $0.weight == 0 }
    return result
  }
}
#endif
