import Dataplane
import Wire

// What remote ends send to leased ports, and ICMP errors about connections by them, in both directions.
extension HostAgent {
  /// The record of a packet to a port of a VIP, or why there is none.
  private enum Finding {
    case flow(Int)
    case fault(DropReason)
  }

  @inline(always) private mutating func findAnswered(
    machine: Int, proto: UInt8, vip: IPv4Address, port: UInt16, remote: IPv4Address, remotePort: UInt16,
    now: UInt32
  ) -> Finding {
    let number = ports.leases.find(vip: vip, port: port)
    guard number != 0 else { return .fault(.noEndpoint) }
    let lease = ports.leases.leases[number]
    guard Int(lease.machine) == machine else { return .fault(.noEndpoint) }
    guard lease.isAlive else { return .fault(.recalledPort) }
    let at = ports.flows.find(
      port: UInt32(truncatingIfNeeded: number &<< 3) | UInt32(port & 7), proto: proto, remote: remote,
      remotePort: remotePort)
    guard at != 0, !isPortFlowOver(ports.flows.records[at], now: now) else { return .fault(.unsolicited) }
    return .flow(at)
  }

  /// A segment or datagram to no endpoint: VIP:leased port becomes DIP:port.
  @inline(always) mutating func answer(
    _ frame: inout Frame, machine: Int, isUDP: Bool, isPartial: Bool, now: UInt32
  ) -> DropReason? {
    let header = IPv4Header(at: IPv4Header.byteCount)
    let transport = 2 &* IPv4Header.byteCount
    let places = TCPHeader(at: transport)
    let found = findAnswered(
      machine: machine, proto: isUDP ? PortProtocol.udp : PortProtocol.tcp, vip: header.destination(frame),
      port: places.destinationPort(frame), remote: header.source(frame), remotePort: places.sourcePort(frame),
      now: now)
    guard case .flow(let at) = found else { return Self.fault(found) }
    let flags = isUDP ? TCPFlags(0) : places.flags(frame)
    var flow = ports.flows.records[at]
    flow.sawInbound(flags, now: now)
    updatePortFlow(at, flow, now: now)
    if flags.has(.syn) {
      SegmentSize.clamp(
        &frame, transport: transport, to: directory.machines[machine].largestMSS, isPartial: isPartial)
    }
    Translation.replace(
      .destination, of: &frame, header: header.offset, transport: transport, isUDP: isUDP,
      isPartial: isPartial, by: directory.machines[machine].dip, flow.localPort)
    return nil
  }

  /// The answer to an echo request of the VM.
  @inline(always) mutating func answerEcho(
    _ frame: inout Frame, machine: Int, now: UInt32
  ) -> DropReason? {
    let header = IPv4Header(at: IPv4Header.byteCount)
    let message = ICMPHeader(at: 2 &* IPv4Header.byteCount)
    let found = findAnswered(
      machine: machine, proto: PortProtocol.echo, vip: header.destination(frame),
      port: message.identifier(frame), remote: header.source(frame), remotePort: 0, now: now)
    guard case .flow(let at) = found else { return Self.fault(found) }
    var flow = ports.flows.records[at]
    flow.sawInbound(TCPFlags(0), now: now)
    updatePortFlow(at, flow, now: now)
    Translation.replaceIdentifier(of: &frame, message: message.offset, by: flow.localPort)
    Translation.replace(
      .destination, of: &frame, header: header.offset, by: directory.machines[machine].dip)
    return nil
  }

  /// An error about a segment or datagram that the VM has sent by a leased port.
  @inline(always) mutating func translatePortErrorToMachine(
    _ frame: inout Frame, _ quotation: Quotation, machine: Int, now: UInt32
  ) -> DropReason? {
    let header = IPv4Header(at: IPv4Header.byteCount)
    let found = findAnswered(
      machine: machine, proto: quotation.isUDP(frame) ? PortProtocol.udp : PortProtocol.tcp,
      vip: header.destination(frame), port: quotation.sourcePort(frame),
      remote: quotation.header.destination(frame), remotePort: quotation.destinationPort(frame), now: now)
    guard case .flow(let at) = found else { return Self.fault(found, otherwise: .noFlow) }
    let dip = directory.machines[machine].dip
    quotation.replace(.source, of: &frame, by: dip, ports.flows.records[at].localPort)
    Translation.replace(.destination, of: &frame, header: header.offset, by: dip)
    return nil
  }

  /// An error about an echo request that the VM has sent.
  @inline(always) mutating func translateEchoErrorToMachine(
    _ frame: inout Frame, _ quotation: Quotation, machine: Int, now: UInt32
  ) -> DropReason? {
    let header = IPv4Header(at: IPv4Header.byteCount)
    let echo = ICMPHeader(at: quotation.transport)
    guard echo.type(frame) == .echoRequest, quotation.header.source(frame) == header.destination(frame) else {
      return .transportHeader
    }
    let found = findAnswered(
      machine: machine, proto: PortProtocol.echo, vip: header.destination(frame),
      port: echo.identifier(frame),
      remote: quotation.header.destination(frame), remotePort: 0, now: now)
    guard case .flow(let at) = found else { return Self.fault(found, otherwise: .noFlow) }
    let dip = directory.machines[machine].dip
    quotation.replaceEcho(.source, of: &frame, by: dip, ports.flows.records[at].localPort)
    Translation.replace(.destination, of: &frame, header: header.offset, by: dip)
    return nil
  }

  /// An error of the VM about what came to a leased port; its usability and ends were looked at.
  @inline(always) mutating func translatePortErrorFromMachine(
    _ frame: inout Frame, _ quotation: Quotation, machine: Int, now: UInt32
  ) -> DropReason? {
    let header = IPv4Header(at: 0)
    let at = ports.flows.find(
      machine: machine, proto: quotation.isUDP(frame) ? PortProtocol.udp : PortProtocol.tcp,
      remote: header.destination(frame), remotePort: quotation.sourcePort(frame),
      localPort: quotation.destinationPort(frame))
    guard at != 0, !isPortFlowOver(ports.flows.records[at], now: now) else { return .noFlow }
    let flow = ports.flows.records[at]
    let lease = ports.leases.leases[flow.lease]
    quotation.replace(
      .destination, of: &frame, by: lease.vip, lease.port(of: flow))
    Translation.replace(.source, of: &frame, header: header.offset, by: lease.vip)
    return nil
  }

  /// An error of the VM about an echo reply.
  @inline(always) mutating func translateEchoErrorFromMachine(
    _ frame: inout Frame, _ quotation: Quotation, machine: Int, now: UInt32
  ) -> DropReason? {
    let header = IPv4Header(at: 0)
    let echo = ICMPHeader(at: quotation.transport)
    guard echo.type(frame) == .echoReply, quotation.header.source(frame) == header.destination(frame),
      quotation.header.destination(frame) == header.source(frame)
    else { return .transportHeader }
    let at = ports.flows.find(
      machine: machine, proto: PortProtocol.echo, remote: header.destination(frame), remotePort: 0,
      localPort: echo.identifier(frame))
    guard at != 0, !isPortFlowOver(ports.flows.records[at], now: now) else { return .noFlow }
    let flow = ports.flows.records[at]
    let lease = ports.leases.leases[flow.lease]
    quotation.replaceEcho(
      .destination, of: &frame, by: lease.vip, lease.port(of: flow))
    Translation.replace(.source, of: &frame, header: header.offset, by: lease.vip)
    return nil
  }

  @inline(always) private static func fault(
    _ finding: Finding, otherwise: DropReason = .unsolicited
  ) -> DropReason {
    guard case .fault(let reason) = finding else { return otherwise }
    switch reason {
    case .unsolicited: return otherwise
    default: return reason
    }
  }
}
