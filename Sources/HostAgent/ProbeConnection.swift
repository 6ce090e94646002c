public import Wire

/// The smallest TCP client that can ask a VM for its health (RFC 9293), pure: packets in, packets out.
///
/// Neither the kernel's stack nor a socket can reach a VM: VMs of different tenants have the same addresses, and
/// each is behind a device of this process. So the agent speaks TCP itself, from 169.254.169.1. Segments are
/// taken in order only, what is not acknowledged is repeated every 250 ms, and nobody waits in TIME-WAIT.
public struct ProbeConnection: Sendable {
  /// What happens to it.
  public enum Input: Sendable {
    /// Send this, once connected; at most one segment in all.
    case send([UInt8])
    /// A packet of the VM for this connection's port.
    case packet([UInt8])
    /// Time passes.
    case tick
    /// Close, and take what still comes.
    case close
  }

  /// What it wants done, in this order.
  public enum Output: Hashable, Sendable {
    /// Write this IPv4 packet to the VM's device.
    case transmit([UInt8])
    /// The connection stands.
    case connected
    /// It was refused, or broken by a RST.
    case refused
    /// Bytes came, in order.
    case received([UInt8])
    /// The VM sends no more.
    case closed
  }

  private enum State: Sendable { case connecting, open, closing, finished }

  /// How long an acknowledgement may take before a segment is repeated, in milliseconds; a VM is microseconds away.
  static var retransmitMilliseconds: UInt64 { 250 }
  /// How long a VM has to close its side, in milliseconds, before it gets a RST.
  static var lingerMilliseconds: UInt64 { 1000 }
  /// How much it may still send after the close before it gets a RST: an ordinary page.
  static var lingerBytes: Int { 65_536 }

  private let source: IPv4Address
  private let destination: IPv4Address
  private let sourcePort: UInt16
  private let destinationPort: UInt16
  private var state = State.connecting
  /// The first byte that is not acknowledged.
  private var unacknowledged: UInt32
  /// The next byte to come from the VM.
  private var expected: UInt32 = 0
  private var request: [UInt8] = []
  private var isFinSent = false
  private var isFinReceived = false
  private var lastSent: UInt64
  private var closedAt: UInt64 = 0
  private var bytesAfterClose = 0

  /// A connection that is to be opened by `start`.
  ///
  /// - Parameters:
  ///   - destination: the DIP.
  ///   - destinationPort: the port that is probed.
  ///   - sourcePort: one that no other connection to this VM uses.
  ///   - sequence: the initial sequence number, different from connection to connection.
  ///   - now: milliseconds.
  public init(
    to destination: IPv4Address, port destinationPort: UInt16, from sourcePort: UInt16, sequence: UInt32,
    now: UInt64
  ) {
    source = HostAgent.probeSource
    self.destination = destination
    self.sourcePort = sourcePort
    self.destinationPort = destinationPort
    unacknowledged = sequence
    lastSent = now
  }

  /// Whether nothing more will come of it.
  public var isFinished: Bool { state == .finished }

  /// The first packet.
  public func start() -> [Output] { [.transmit(segment(.syn, at: unacknowledged))] }

  /// Takes one event.
  public mutating func handle(_ input: Input, now: UInt64) -> [Output] {
    switch input {
    case .send(let bytes): send(bytes, now)
    case .packet(let packet): receive(packet, now)
    case .tick: tick(now)
    case .close: close(now)
    }
  }

  private mutating func send(_ bytes: [UInt8], _ now: UInt64) -> [Output] {
    guard state == .open, request.isEmpty, !bytes.isEmpty, bytes.count <= ProbeSegment.mss else { return [] }
    request = bytes
    lastSent = now
    return [.transmit(segment(.ack | .psh, at: unacknowledged, bytes))]
  }

  private mutating func close(_ now: UInt64) -> [Output] {
    switch state {
    case .closing, .finished: return []
    case .connecting:
      state = .finished
      return [.transmit(segment(.rst, at: unacknowledged &+ 1))]
    case .open:
      state = .closing
      isFinSent = true
      closedAt = now
      lastSent = now
      return [.transmit(segment(.fin | .ack, at: unacknowledged &+ UInt32(request.count)))]
    }
  }

  private mutating func tick(_ now: UInt64) -> [Output] {
    guard state != .finished else { return [] }
    if state == .closing, now >= closedAt + Self.lingerMilliseconds { return abort() }
    guard now >= lastSent + Self.retransmitMilliseconds else { return [] }
    lastSent = now
    if state == .connecting { return [.transmit(segment(.syn, at: unacknowledged))] }
    if !request.isEmpty { return [.transmit(segment(.ack | .psh, at: unacknowledged, request))] }
    return isFinSent ? [.transmit(segment(.fin | .ack, at: unacknowledged))] : []
  }

  private mutating func receive(_ packet: [UInt8], _ now: UInt64) -> [Output] {
    guard state != .finished, let segment = ProbeSegment(packet), segment.source == destination,
      segment.destination == source, segment.sourcePort == destinationPort,
      segment.destinationPort == sourcePort
    else { return [] }
    return state == .connecting ? receiveFirst(segment, now) : receiveNext(segment, now)
  }

  private mutating func receiveFirst(_ answer: ProbeSegment, _ now: UInt64) -> [Output] {
    guard answer.flags.has(.ack), answer.acknowledgment == unacknowledged &+ 1 else { return [] }
    if answer.flags.has(.rst) {
      state = .finished
      return [.refused]
    }
    guard answer.flags.has(.syn) else { return [] }
    state = .open
    unacknowledged &+= 1
    expected = answer.sequence &+ 1
    lastSent = now
    return [.transmit(segment(.ack, at: unacknowledged)), .connected]
  }

  private mutating func receiveNext(_ answer: ProbeSegment, _ now: UInt64) -> [Output] {
    if answer.flags.has(.rst) {
      guard answer.sequence == expected else { return [] }
      let wasOpen = state == .open
      state = .finished
      return wasOpen ? [.refused] : []
    }
    acknowledge(answer)
    let occupies = answer.payload.count + (answer.flags.has(.fin) ? 1 : 0) + (answer.flags.has(.syn) ? 1 : 0)
    guard occupies > 0 else { return finishIfDone([]) }
    // A segment that is not the next one is answered with what is expected, and comes again.
    guard answer.sequence == expected, !answer.flags.has(.syn), !isFinReceived else {
      return [.transmit(segment(.ack, at: nextSequence))]
    }
    expected &+= UInt32(truncatingIfNeeded: answer.payload.count)
    var news: [Output] = []
    if !answer.payload.isEmpty, state == .open { news.append(.received(answer.payload)) }
    if state == .closing { bytesAfterClose += answer.payload.count }
    guard bytesAfterClose <= Self.lingerBytes else { return abort() }
    if answer.flags.has(.fin) {
      expected &+= 1
      isFinReceived = true
      if state == .open { news.append(.closed) }
    }
    return finishIfDone([.transmit(segment(.ack, at: nextSequence))] + news)
  }

  /// Takes note of what the VM has.
  private mutating func acknowledge(_ answer: ProbeSegment) {
    guard answer.flags.has(.ack) else { return }
    let behind = answer.acknowledgment &- unacknowledged
    let outstanding = UInt32(request.count) + (isFinSent ? 1 : 0)
    guard behind > 0, behind <= outstanding else { return }
    guard behind >= UInt32(request.count) else { return }
    unacknowledged &+= UInt32(request.count)
    if behind > UInt32(request.count) { isFinAcknowledged = true }
    request = []
  }

  private var isFinAcknowledged = false

  private mutating func finishIfDone(_ outputs: [Output]) -> [Output] {
    if isFinAcknowledged && isFinReceived { state = .finished }
    return outputs
  }

  private mutating func abort() -> [Output] {
    state = .finished
    return [.transmit(segment(.rst | .ack, at: nextSequence))]
  }

  /// The number of the next byte that would be sent.
  private var nextSequence: UInt32 { unacknowledged &+ UInt32(request.count) &+ (isFinSent ? 1 : 0) }

  private func segment(_ flags: TCPFlags, at sequence: UInt32, _ payload: [UInt8] = []) -> [UInt8] {
    ProbeSegment(
      source: source, destination: destination, sourcePort: sourcePort, destinationPort: destinationPort,
      sequence: sequence, acknowledgment: flags.has(.ack) ? expected : 0, flags: flags, payload: payload
    ).packet
  }
}
