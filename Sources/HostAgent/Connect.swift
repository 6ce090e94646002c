import Dataplane
import Wire

// Connections that a VM opens itself, step by step: DIP:port becomes VIP:leased port, or the packet waits.
extension HostAgent {
  /// A segment or datagram that belongs to no endpoint.
  @inline(always) mutating func connect(
    _ frame: inout Frame, machine: Int, isUDP: Bool, flags: TCPFlags, isPartial: Bool, end: Int, now: UInt32
  ) -> Verdict {
    let header = IPv4Header(at: 0)
    let transport = IPv4Header.byteCount
    let places = TCPHeader(at: transport)
    let remotePort = places.destinationPort(frame)
    let localPort = places.sourcePort(frame)
    guard remotePort != 0, localPort != 0 else { return .drop(.transportHeader) }
    let wanted = PortFlow(
      machine: machine, proto: isUDP ? PortProtocol.udp : PortProtocol.tcp, remote: header.destination(frame),
      remotePort: remotePort, localPort: localPort, port: 0, now: now)
    var at = findConnection(wanted, flags: flags, now: now)
    if at == 0 {
      guard isUDP || flags.opens else { return .drop(.noFlow) }
      switch open(wanted, isSYN: !isUDP, byteCount: frame.byteCount, now: now) {
      case .made(let number): at = number
      case .other(let verdict): return verdict
      }
    }
    var flow = ports.flows.records[at]
    flow.sawOutbound(flags, now: now)
    updatePortFlow(at, flow, now: now)
    if flags.has(.syn) {
      SegmentSize.clamp(
        &frame, transport: transport, to: directory.machines[machine].largestMSS, isPartial: isPartial)
    }
    let lease = ports.leases.leases[flow.lease]
    Translation.replace(
      .source, of: &frame, header: header.offset, transport: transport, isUDP: isUDP, isPartial: isPartial,
      by: lease.vip, lease.port(of: flow))
    return .transmit(offset: 0, byteCount: end)
  }

  /// An echo request of the VM; its identifier is what ports are elsewhere.
  @inline(always) mutating func connectEcho(
    _ frame: inout Frame, machine: Int, end: Int, now: UInt32
  ) -> Verdict {
    let header = IPv4Header(at: 0)
    let message = ICMPHeader(at: IPv4Header.byteCount)
    let wanted = PortFlow(
      machine: machine, proto: PortProtocol.echo, remote: header.destination(frame), remotePort: 0,
      localPort: message.identifier(frame), port: 0, now: now)
    var at = findConnection(wanted, flags: TCPFlags(0), now: now)
    if at == 0 {
      switch open(wanted, isSYN: false, byteCount: frame.byteCount, now: now) {
      case .made(let number): at = number
      case .other(let verdict): return verdict
      }
    }
    var flow = ports.flows.records[at]
    flow.sawOutbound(TCPFlags(0), now: now)
    updatePortFlow(at, flow, now: now)
    let lease = ports.leases.leases[flow.lease]
    Translation.replaceIdentifier(
      of: &frame, message: message.offset, by: lease.port(of: flow))
    Translation.replace(.source, of: &frame, header: header.offset, by: lease.vip)
    return .transmit(offset: 0, byteCount: end)
  }

  /// The record of a packet, or 0; one that is over ends, and so does a closed one that a SYN would begin anew on a
  /// recalled range.
  @inline(always) private mutating func findConnection(
    _ wanted: PortFlow, flags: TCPFlags, now: UInt32
  ) -> Int {
    let at = ports.flows.find(
      machine: Int(wanted.machine), proto: wanted.proto, remote: wanted.remote,
      remotePort: wanted.remotePort, localPort: wanted.localPort)
    guard at != 0 else { return 0 }
    let flow = ports.flows.records[at]
    let isLeft =
      flags.opens && flow.isClosed && ports.leases.leases[flow.lease].state != PortLease.usable
    guard isLeft || isPortFlowOver(flow, now: now) else { return at }
    if flow.isLent {
      lendOrTakeBackPortFlow(at, now: now)
      guard !ports.flows.records[at].isLent else { return 0 }
    }
    forgetPortFlow(at, now: now)
    return 0
  }

  private enum Opening {
    case made(Int)
    case other(Verdict)
  }

  /// Makes the record of a new connection, on a port that fits; or the packet, of so many octets as were received,
  /// waits for one.
  @inline(never) private mutating func open(
    _ wanted: PortFlow, isSYN: Bool, byteCount: Int, now: UInt32
  ) -> Opening {
    let machine = Int(wanted.machine)
    let since = ports.queue.putDown() ?? now
    guard !Self.leadsNowhere(wanted.remote) else { return .other(.drop(.noFlow)) }
    expireShortFlows(now: now, budget: Limits.shortFlowsPerOpening)
    guard Int(ports.machines[machine].flows) < ports.flows.capacity &>> 1 else {
      return .other(.drop(.flowTableFull))
    }
    var flow = wanted
    if wanted.proto == PortProtocol.udp {
      let mapping = findOrMakeMapping(wanted, now: now)
      guard mapping >= 0 else { return .other(.drop(.flowTableFull)) }
      guard mapping > 0 else {
        return .other(wait(wanted, isSYN: isSYN, byteCount: byteCount, since: since, now: now))
      }
      flow.port = ports.flows.records[mapping].port
      flow.mapping = UInt32(truncatingIfNeeded: mapping)
      // Held while room is made for the flow, which must not be that of the mapping.
      ports.flows.records[mapping].mapping &+= 1
      let at = beginPortFlow(flow, now: now)
      guard at != 0 else {
        releaseMapping(mapping, now: now)
        return .other(.drop(.flowTableFull))
      }
      return .made(at)
    }
    flow.port = ports.choose(
      PortDestination(
        machine: machine, proto: wanted.proto, remote: wanted.remote, remotePort: wanted.remotePort))
    guard flow.port != 0 else {
      return .other(wait(wanted, isSYN: isSYN, byteCount: byteCount, since: since, now: now))
    }
    let at = beginPortFlow(flow, now: now)
    return at != 0 ? .made(at) : .other(.drop(.flowTableFull))
  }

  /// The mapping of a VM's UDP port; 0 when no port is free for it, -1 when there is no room.
  @inline(always) private mutating func findOrMakeMapping(_ wanted: PortFlow, now: UInt32) -> Int {
    let machine = Int(wanted.machine)
    let at = ports.flows.find(
      machine: machine, proto: PortProtocol.mapping, remote: .any, remotePort: 0, localPort: wanted.localPort)
    if at != 0 {
      guard ports.leases.leases[ports.flows.records[at].lease].state != PortLease.usable else { return at }
      // Its flows keep their port until they end; new ones get another.
      ports.flows.unlinkOut(at)
      ports.flows.records[at].state |= PortFlow.retired
    }
    let port = ports.choose(.everybody(machine))
    guard port != 0 else { return 0 }
    var mapping = PortFlow(
      machine: machine, proto: PortProtocol.mapping, remote: .any, remotePort: 0, localPort: wanted.localPort,
      port: port, now: now)
    mapping.state = PortFlow.mapping
    let number = beginPortFlow(mapping, now: now)
    return number == 0 ? -1 : number
  }

  /// Takes back what held a mapping; without flows it ends.
  mutating func releaseMapping(_ at: Int, now: UInt32) {
    ports.flows.records[at].mapping &-= 1
    if ports.flows.records[at].mapping == 0 { forgetPortFlow(at, now: now) }
  }

  /// Holds a packet and asks for ports, unless they have been refused.
  private mutating func wait(
    _ wanted: PortFlow, isSYN: Bool, byteCount: Int, since: UInt32, now: UInt32
  ) -> Verdict {
    let machine = Int(wanted.machine)
    let cell = CounterCells.port(machine)
    var owner = ports.machines[machine]
    if owner.isRefused {
      guard Int32(bitPattern: now &- owner.refusedUntil) >= 0 else {
        cells.add(cell &+ CounterCells.portDrops)
        return .drop(owner.reason)
      }
      owner.isRefused = false
      ports.machines[machine].isRefused = false
    }
    let name =
      UInt64(wanted.remote.raw) << 32 | UInt64(wanted.remotePort) << 16 | UInt64(wanted.localPort)
    if isSYN {
      let before = ports.queue.find(owner, name: name, proto: wanted.proto)
      if before >= 0 { return .hold(slot: before) }
    }
    if owner.request == PortMachine.noRequest {
      // Also for a packet that finds no slot: its sender sends it again.
      ports.ask(machine, now: now, isRepeated: false)
      cells.add(cell &+ CounterCells.requests)
      owner = ports.machines[machine]
    }
    let isTooOld = Int32(bitPattern: now &- since) > Int32(Limits.heldMilliseconds)
    let slot =
      byteCount > Limits.heldByteCount || isTooOld
      ? -1 : ports.queue.hold(&owner, number: machine, name: name, proto: wanted.proto, since: since)
    guard slot >= 0 else {
      cells.add(cell &+ CounterCells.portDrops)
      return .drop(isTooOld ? .heldTooLong : .holdFull)
    }
    ports.machines[machine] = owner
    cells.add(cell &+ CounterCells.held)
    return .hold(slot: slot)
  }

  /// Whether nobody can answer from there: addresses that are no source, and those of one link (RFC 3927 §2.7).
  @inline(always) private static func leadsNowhere(_ remote: IPv4Address) -> Bool {
    Parse.isMartian(remote) || remote.number &>> 16 == 0xa9fe
  }
}
