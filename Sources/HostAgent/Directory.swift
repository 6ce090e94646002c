import Wire

/// A VM as the packet path knows it.
struct MachineRecord: BitwiseCopyable {
  var locator: IPv4Address
  /// 0.0.0.0: there is no VM of this index.
  var dip: IPv4Address
  /// The largest MSS a SYN may announce.
  var largestMSS: UInt16
  /// Whether its flows may be lent.
  var lendsFlows: Bool

  init() {
    locator = .any
    dip = .any
    largestMSS = 0
    lendsFlows = false
  }
}

/// A worker's own copy of the host map, in the shape in which packets ask.
///
/// Endpoints keep their number from map to map, since flow records name them by it.
struct Directory: ~Copyable {
  var machines: Table<MachineRecord>
  var endpoints: Table<EndpointRecord>
  private var muxes: AddressTable
  private var locators: AddressTable
  private var names: EndpointTable

  init() {
    machines = Table(capacity: Limits.machines, repeating: MachineRecord())
    endpoints = Table(capacity: 2 * (Limits.endpoints + 1), repeating: EndpointRecord())
    muxes = AddressTable(count: 0)
    locators = AddressTable(count: 0)
    names = EndpointTable(count: 0)
  }

  /// The index of the VM with the locator, or -1.
  @inline(always) func machine(at locator: IPv4Address) -> Int { locators.number(of: locator) }
  /// Whether packets encapsulated by this address are to be believed.
  @inline(always) func isMux(_ address: IPv4Address) -> Bool { muxes.number(of: address) >= 0 }

  /// The number of the endpoint clients know by this name, or 0.
  @inline(always) func endpoint(
    machine: Int, isUDP: Bool, vip: IPv4Address, port: UInt16
  ) -> UInt16 {
    guard vip != .any else { return 0 }
    return UInt16(
      truncatingIfNeeded: names.find(
        EndpointName(machine: machine, isUDP: isUDP, vip: vip, port: port)))
  }

  /// The number of the one endpoint that is served by this port of a VM; 0 when there is none or several.
  @inline(always) func onlyEndpoint(machine: Int, isUDP: Bool, backendPort: UInt16) -> UInt16 {
    let number = names.find(EndpointName(machine: machine, isUDP: isUDP, backendPort: backendPort))
    return number == EndpointTable.several ? 0 : UInt16(truncatingIfNeeded: number)
  }

  /// Takes over a new map; the flows of endpoints that it no longer names are dead from now on.
  ///
  /// - Returns: the VMs that came or became another.
  mutating func adopt(_ map: HostMap) -> [UInt32] {
    let changed = adoptMachines(map)
    muxes = AddressTable(count: map.muxes.count)
    for mux in map.muxes { muxes.insert(mux, 1) }
    adoptEndpoints(map, changed: Set(changed))
    return changed
  }

  private mutating func adoptMachines(_ map: HostMap) -> [UInt32] {
    var changed: [UInt32] = []
    locators = AddressTable(count: map.machines.count)
    var next = 0
    for index in 0..<Limits.machines {
      guard next < map.machines.count, Int(map.machines[next].index) == index else {
        machines[index] = MachineRecord()
        continue
      }
      let machine = map.machines[next]
      next += 1
      locators.insert(machine.locator, machine.index)
      let before = machines[index]
      if before.locator != machine.locator || before.dip != machine.dip { changed.append(machine.index) }
      machines[index].locator = machine.locator
      machines[index].dip = machine.dip
      machines[index].largestMSS = UInt16(truncatingIfNeeded: machine.mtu - 40)
      machines[index].lendsFlows = machine.lendsFlows
    }
    return changed
  }

  private mutating func adoptEndpoints(_ map: HostMap, changed: Set<UInt32>) {
    let survivors = map.endpoints.map { survivor(of: $0, changed: changed) }
    for number in 1..<endpoints.count { endpoints[number].isAlive = false }
    for number in survivors { endpoints[number].isAlive = number != 0 }
    names = EndpointTable(count: map.endpoints.count)
    var free = 1
    for (endpoint, survivor) in zip(map.endpoints, survivors) {
      let number = survivor == 0 ? unusedNumber(from: &free) : survivor
      guard number != 0 else { continue }
      var record = endpoints[number]
      record.vip = endpoint.vip
      record.port = endpoint.port
      record.backendPort = endpoint.backendPort
      record.machine = UInt16(truncatingIfNeeded: endpoint.machine)
      record.proto = endpoint.proto
      record.idle = min(endpoint.idleMilliseconds, Limits.idleMilliseconds)
      record.isAlive = true
      endpoints[number] = record
      names.insert(record, number: UInt32(number))
    }
  }

  /// The number under which the endpoint is known already, or 0; another backend port makes it another one.
  private func survivor(of endpoint: HostMap.Endpoint, changed: Set<UInt32>) -> Int {
    guard !changed.contains(endpoint.machine) else { return 0 }
    let number = Int(
      self.endpoint(
        machine: Int(endpoint.machine), isUDP: endpoint.proto == .udp, vip: endpoint.vip,
        port: endpoint.port))
    return number != 0 && endpoints[number].backendPort == endpoint.backendPort ? number : 0
  }

  /// A number that neither the map nor a flow record uses; 0 when there is none.
  private func unusedNumber(from next: inout Int) -> Int {
    while next < endpoints.count {
      let number = next
      next += 1
      if !endpoints[number].isAlive && endpoints[number].flows == 0 { return number }
    }
    return 0
  }

  /// Whether numbers may run out, because flows of endpoints that are gone still hold theirs.
  func isCrowded(for map: HostMap) -> Bool {
    var held = 0
    for number in 1..<endpoints.count where endpoints[number].flows > 0 { held += 1 }
    return held + map.endpoints.count >= endpoints.count
  }
}
