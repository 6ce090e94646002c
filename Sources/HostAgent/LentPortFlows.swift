import Dataplane
import Wire

// The same for connections by leased ports, whose way back from the kernel is that of flows of endpoints.
extension HostAgent {
  /// Answers `.silent`.
  mutating func settlePortFlow(_ flow: KnownFlow, lastSeen: UInt32?, now: UInt32) -> Bool {
    let at = ports.flows.find(
      machine: Int(flow.machine), proto: Self.proto(of: flow), remote: flow.remote,
      remotePort: flow.remotePort, localPort: flow.backendPort)
    guard at != 0 else { return false }
    var record = ports.flows.records[at]
    guard record.isLent else { return false }
    if let lastSeen, Int32(bitPattern: lastSeen &- record.lastSeen) > 0 { record.lastSeen = lastSeen }
    let isAlive = ports.leases.leases[record.lease].isAlive
    let mayGoOn = lastSeen != nil && isAlive && record.isKnown && !record.isExpired(now: now)
    if !mayGoOn { record.state &= ~PortFlow.lent }
    ports.flows.records[at] = record
    ports.flows.list(at, now: now)
    return mayGoOn
  }

  /// Takes over what the kernel has carried by a port of a range that the VM has.
  mutating func restorePortFlow(_ flow: KnownFlow, lastSeen: UInt32, now: UInt32) -> Bool {
    let machine = Int(flow.machine)
    let number = ports.leases.find(vip: flow.vip, port: flow.vipPort)
    guard number != 0, flow.proto == .tcp || flow.proto == .udp else { return false }
    let lease = ports.leases.leases[number]
    guard Int(lease.machine) == machine, lease.isAlive else { return false }
    let proto = Self.proto(of: flow)
    let port = UInt32(truncatingIfNeeded: number &<< 3) | UInt32(flow.vipPort & 7)
    var at = ports.flows.find(
      machine: machine, proto: proto, remote: flow.remote, remotePort: flow.remotePort,
      localPort: flow.backendPort)
    if at != 0 {
      guard ports.flows.records[at].port == port, !ports.flows.records[at].isClosed else { return false }
    } else {
      let isTaken =
        ports.flows.find(port: port, proto: proto, remote: flow.remote, remotePort: flow.remotePort) != 0
      guard !isTaken else { return false }
      var record = PortFlow(
        machine: machine, proto: proto, remote: flow.remote, remotePort: flow.remotePort,
        localPort: flow.backendPort, port: port, now: lastSeen)
      if proto == PortProtocol.udp {
        record.mapping = UInt32(restoreMapping(record, now: now))
        guard record.mapping != 0 else { return false }
        ports.flows.records[Int(record.mapping)].mapping &+= 1
      }
      at = beginPortFlow(record, now: now)
      guard at != 0 else {
        if record.mapping != 0 { releaseMapping(Int(record.mapping), now: now) }
        return false
      }
    }
    var record = ports.flows.records[at]
    record.state |= PortFlow.answered | PortFlow.established | PortFlow.lent
    record.lastSeen = lastSeen
    ports.flows.records[at] = record
    ports.flows.list(at, now: now)
    cells.add(CounterCells.resumed)
    return true
  }

  /// The mapping of a VM's UDP port to this leased port, made if need be; 0 when either has another one.
  private mutating func restoreMapping(_ wanted: PortFlow, now: UInt32) -> Int {
    let machine = Int(wanted.machine)
    let present = ports.flows.find(
      machine: machine, proto: PortProtocol.mapping, remote: .any, remotePort: 0, localPort: wanted.localPort)
    if present != 0 { return ports.flows.records[present].port == wanted.port ? present : 0 }
    guard ports.flows.find(port: wanted.port, proto: PortProtocol.mapping, remote: .any, remotePort: 0) == 0
    else {
      return 0
    }
    var mapping = PortFlow(
      machine: machine, proto: PortProtocol.mapping, remote: .any, remotePort: 0, localPort: wanted.localPort,
      port: wanted.port, now: now)
    mapping.state = PortFlow.mapping
    return beginPortFlow(mapping, now: now)
  }

  @inline(always) private static func proto(of flow: KnownFlow) -> UInt8 {
    flow.proto == .udp ? PortProtocol.udp : PortProtocol.tcp
  }
}
