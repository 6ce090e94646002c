import Dataplane
import Wire

// From the underlay to a VM, step by step in the order in which a packet takes them.
extension HostAgent {
  /// The outer header: intact, from a MUX, to one of our VMs.
  @inline(always) mutating func receive(
    _ frame: inout Frame, offload: inout Offload, now: UInt32
  ) -> Verdict {
    if let fault = Parse.faultOfTunnel(frame) { return .drop(fault) }
    let outer = IPv4Header(at: 0)
    guard directory.isMux(outer.source(frame)) else { return .drop(.foreignSource) }
    let machine = directory.machine(at: outer.destination(frame))
    guard machine >= 0 else { return .drop(.unknownLocator) }
    return unwrap(&frame, for: machine, end: outer.totalLength(frame), offload: &offload, now: now)
  }

  /// The inner header: intact, and what it says of congestion joined with what the outer one says.
  @inline(always) private mutating func unwrap(
    _ frame: inout Frame, for machine: Int, end outerEnd: Int, offload: inout Offload, now: UInt32
  ) -> Verdict {
    let start = IPv4Header.byteCount
    if let fault = Parse.faultOfPassenger(frame, end: outerEnd, offload) { return .drop(fault) }
    let inner = IPv4Header(at: start)
    let length = inner.totalLength(frame)
    let end = start &+ length
    let transport = start &+ IPv4Header.byteCount
    let proto = inner.proto(frame)
    guard Congestion.decapsulate(&frame, outer: 0, inner: start) else { return .drop(.congestion) }
    let fault =
      proto == .icmp
      ? translateErrorToMachine(&frame, machine: machine, end: end, now: now)
      : translateToMachine(
        &frame, machine: machine, isUDP: proto == .udp, isPartial: offload.isPartial, now: now)
    if let fault { return .drop(fault) }
    offload = offload.behind(start)
    if offload.isSuperPacket {
      // A packet socket says what lay in one piece in the sender's memory, the whole packet perhaps; the VM's
      // device would ask for as much in one piece.
      let headers = proto == .tcp ? TCPHeader(at: transport).headerLength(frame) : UDPHeader.byteCount
      offload.headerLength = UInt16(truncatingIfNeeded: IPv4Header.byteCount &+ headers)
    }
    return .deliver(machine: UInt32(truncatingIfNeeded: machine), offset: start, byteCount: length)
  }

  /// The endpoint and the flow; VIP:port becomes DIP:port.
  @inline(always) private mutating func translateToMachine(
    _ frame: inout Frame, machine: Int, isUDP: Bool, isPartial: Bool, now: UInt32
  ) -> DropReason? {
    let header = IPv4Header(at: IPv4Header.byteCount)
    let transport = 2 &* IPv4Header.byteCount
    let ports = TCPHeader(at: transport)
    let number = directory.endpoint(
      machine: machine, isUDP: isUDP, vip: header.destination(frame), port: ports.destinationPort(frame))
    guard number != 0 else {
      return answer(&frame, machine: machine, isUDP: isUDP, isPartial: isPartial, now: now)
    }
    let endpoint = directory.endpoints[Int(number)]
    let key = FlowKey(
      machine: machine, isUDP: isUDP, remote: header.source(frame), remotePort: ports.sourcePort(frame),
      localPort: endpoint.backendPort)
    let flags = isUDP ? TCPFlags(0) : ports.flags(frame)
    if let fault = noteInbound(key, endpoint: number, flags: flags, isUDP: isUDP, now: now) { return fault }
    if flags.has(.syn) {
      SegmentSize.clamp(
        &frame, transport: transport, to: directory.machines[machine].largestMSS, isPartial: isPartial)
    }
    Translation.replace(
      .destination, of: &frame, header: header.offset, transport: transport, isUDP: isUDP,
      isPartial: isPartial, by: directory.machines[machine].dip, endpoint.backendPort)
    return nil
  }

  /// An error about a packet that the VM sent: the quoted source is the VIP.
  @inline(always) private mutating func translateErrorToMachine(
    _ frame: inout Frame, machine: Int, end: Int, now: UInt32
  ) -> DropReason? {
    let header = IPv4Header(at: IPv4Header.byteCount)
    let message = ICMPHeader(at: 2 &* IPv4Header.byteCount)
    if message.type(frame) == .echoReply { return answerEcho(&frame, machine: machine, now: now) }
    guard message.type(frame).isError else { return .noEndpoint }
    let quotation = Quotation(message: message.offset, end: end)
    if quotation.isEcho(frame) {
      return translateEchoErrorToMachine(&frame, quotation, machine: machine, now: now)
    }
    guard quotation.isUsable(frame), quotation.header.source(frame) == header.destination(frame) else {
      return .transportHeader
    }
    let isUDP = quotation.isUDP(frame)
    let number = directory.endpoint(
      machine: machine, isUDP: isUDP, vip: header.destination(frame), port: quotation.sourcePort(frame))
    guard number != 0 else {
      return translatePortErrorToMachine(&frame, quotation, machine: machine, now: now)
    }
    let port = directory.endpoints[Int(number)].backendPort
    let key = FlowKey(
      machine: machine, isUDP: isUDP, remote: quotation.header.destination(frame),
      remotePort: quotation.destinationPort(frame), localPort: port)
    let at = table.find(key, hash: key.hash(seed: seed))
    guard at >= 0, table.flows[at].endpoint == number, !isOver(table.flows[at], now: now) else {
      return .noFlow
    }
    let dip = directory.machines[machine].dip
    quotation.replace(.source, of: &frame, by: dip, port)
    Translation.replace(.destination, of: &frame, header: header.offset, by: dip)
    return nil
  }
}
