import Dataplane
import Wire

// From a VM to the underlay, step by step in the order in which a packet takes them.
extension HostAgent {
  /// The header: intact, and from the VM's own address.
  @inline(always) mutating func send(
    _ frame: inout Frame, from machine: Int, offload: Offload, now: UInt32
  ) -> Verdict {
    if let fault = Parse.faultOfHeader(frame, at: 0, end: frame.byteCount) { return .drop(fault) }
    let header = IPv4Header(at: 0)
    let dip = directory.machines[machine].dip
    guard dip != .any else { return .drop(.noFlow) }
    guard header.source(frame) == dip else { return .drop(.spoofedSource) }
    let length = header.totalLength(frame)
    let proto = header.proto(frame)
    if let fault = Parse.faultOfReply(frame, offload) { return .drop(fault) }
    guard header.destination(frame) != Self.probeSource else { return .pass }
    if proto != .icmp {
      return translateFromMachine(
        &frame, machine: machine, isUDP: proto == .udp, isPartial: offload.isPartial, end: length, now: now)
    }
    if ICMPHeader(at: IPv4Header.byteCount).type(frame) == .echoRequest {
      return connectEcho(&frame, machine: machine, end: length, now: now)
    }
    if let fault = translateErrorFromMachine(&frame, machine: machine, end: length, now: now) {
      return .drop(fault)
    }
    return .transmit(offset: 0, byteCount: length)
  }

  /// The flow; DIP:port becomes VIP:port, or a leased port for what belongs to no endpoint.
  @inline(always) private mutating func translateFromMachine(
    _ frame: inout Frame, machine: Int, isUDP: Bool, isPartial: Bool, end: Int, now: UInt32
  ) -> Verdict {
    let header = IPv4Header(at: 0)
    let transport = IPv4Header.byteCount
    let ports = TCPHeader(at: transport)
    let key = FlowKey(
      machine: machine, isUDP: isUDP, remote: header.destination(frame),
      remotePort: ports.destinationPort(frame), localPort: ports.sourcePort(frame))
    let flags = isUDP ? TCPFlags(0) : ports.flags(frame)
    let number = noteOutbound(key, machine: machine, flags: flags, isUDP: isUDP, now: now)
    guard number != 0 else {
      return connect(
        &frame, machine: machine, isUDP: isUDP, flags: flags, isPartial: isPartial, end: end, now: now)
    }
    let endpoint = directory.endpoints[Int(number)]
    if flags.has(.syn) {
      SegmentSize.clamp(
        &frame, transport: transport, to: directory.machines[machine].largestMSS, isPartial: isPartial)
    }
    Translation.replace(
      .source, of: &frame, header: header.offset, transport: transport, isUDP: isUDP, isPartial: isPartial,
      by: endpoint.vip, endpoint.port)
    return .transmit(offset: 0, byteCount: end)
  }

  /// An error about a packet that the VM received: the quoted destination is the DIP.
  @inline(always) private mutating func translateErrorFromMachine(
    _ frame: inout Frame, machine: Int, end: Int, now: UInt32
  ) -> DropReason? {
    let header = IPv4Header(at: 0)
    let message = ICMPHeader(at: IPv4Header.byteCount)
    guard message.type(frame).isError else { return .noFlow }
    let quotation = Quotation(message: message.offset, end: end)
    if quotation.isEcho(frame) {
      return translateEchoErrorFromMachine(&frame, quotation, machine: machine, now: now)
    }
    guard quotation.isUsable(frame), quotation.header.source(frame) == header.destination(frame),
      quotation.header.destination(frame) == header.source(frame)
    else { return .transportHeader }
    let key = FlowKey(
      machine: machine, isUDP: quotation.isUDP(frame), remote: header.destination(frame),
      remotePort: quotation.sourcePort(frame), localPort: quotation.destinationPort(frame))
    let at = table.find(key, hash: key.hash(seed: seed))
    guard at >= 0, !isOver(table.flows[at], now: now) else {
      return translatePortErrorFromMachine(&frame, quotation, machine: machine, now: now)
    }
    let endpoint = directory.endpoints[Int(table.flows[at].endpoint)]
    quotation.replace(.destination, of: &frame, by: endpoint.vip, endpoint.port)
    Translation.replace(.source, of: &frame, header: header.offset, by: endpoint.vip)
    return nil
  }
}
