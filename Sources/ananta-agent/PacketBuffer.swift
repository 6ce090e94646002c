internal import Dataplane
internal import Platform
internal import Wire

/// Two frames and the system calls that fill and empty them: how a worker's packets come and go.
///
/// Every packet is written before the next is read, or joins the super-packet that gathers in the second frame.
struct PacketBuffer: ~Copyable {
  /// What a read brought.
  enum Received {
    /// A packet of this many bytes lies in the frame.
    case packet(byteCount: Int)
    /// A packet that the kernel could not hand over; there may be more.
    case lost
    /// No packet waits.
    case empty
    /// The device is gone.
    case closed
  }

  /// Where packets are read to and written from.
  private static let packet = 0
  /// Where a super-packet gathers.
  private static let pending = 1

  private var frames: FramePool
  private var coalescer = Coalescer()
  private var held = HeldPackets()
  /// Packets the kernel did not take.
  private(set) var refused: UInt64 = 0
  /// Packets the kernel could not hand over: too long for a frame, or of a kind it has no words for.
  private(set) var lost: UInt64 = 0

  init() throws(PlatformError) { frames = try FramePool(count: 2) }

  /// The frame's bytes, as the packet path takes them.
  var bytes: MutableRawSpan {
    @_lifetime(&self) @inline(always) mutating get { frames[0] }
  }

  /// Reads the next packet, and what the device left to us.
  @inline(always) mutating func receive(from port: PacketPort, _ offload: inout Offload) -> Received {
    switch port {
    case .none: .closed
    case .tun(let queue): receive(from: queue, &offload)
    case .pair(let socket): receive(from: socket, &offload)
    }
  }

  /// Reads the next packet of a queue, and what its device left to us.
  @inline(always) mutating func receive(from queue: TUNQueue.Handle, _ offload: inout Offload) -> Received {
    switch frames.receive(into: Self.packet, from: queue) {
    case .wouldBlock: return .empty
    case .failed: return .closed
    case .bytes(let count):
      let byteCount = count &- Offload.byteCount
      guard byteCount >= 0, let frame = Frame(frames[Self.packet], byteCount: byteCount) else {
        return .packet(byteCount: 0)
      }
      offload = Offload(frame, at: -Offload.byteCount)
      return .packet(byteCount: byteCount)
    }
  }

  /// Reads the next packet of a packet socket, and what its device left to us, counted from the IPv4 header on.
  @inline(always) mutating func receive(
    from socket: PacketSocket.Handle, _ offload: inout Offload
  ) -> Received {
    switch frames.receive(into: Self.packet, from: socket) {
    case .wouldBlock: return .empty
    case .failed(let error):
      guard error.isOfOnePacket else { return .empty }
      lost &+= 1
      return .lost
    case .bytes(let count):
      let byteCount = count &- Offload.byteCount &- PacketSocket.linkHeaderByteCount
      guard byteCount >= 0, let frame = Frame(frames[Self.packet], byteCount: byteCount) else {
        return .packet(byteCount: 0)
      }
      let before = Offload.byteCount &+ PacketSocket.linkHeaderByteCount
      offload = Offload(frame, at: -before).behind(PacketSocket.linkHeaderByteCount)
      return .packet(byteCount: byteCount)
    }
  }

  /// Writes `byteCount` bytes from `offset` on, and leaves to the device what `offload` says.
  @inline(always) mutating func transmit(
    offset: Int, byteCount: Int, _ offload: Offload, to port: PacketPort
  ) {
    switch write(frame: Self.packet, offset: offset, byteCount: byteCount, offload, to: port) {
    case .bytes: break
    case .wouldBlock, .failed: refused &+= 1
    }
  }

  /// The same for a VM, whose device may not know of a kind of super-packet, as Linux below 6.2 does not of UDP: then
  /// the VM gets the segments.
  @inline(always) mutating func deliver(
    offset: Int, byteCount: Int, _ offload: Offload, to port: PacketPort
  ) {
    switch write(frame: Self.packet, offset: offset, byteCount: byteCount, offload, to: port) {
    case .bytes: break
    case .failed(let error) where offload.isSuperPacket && error.isOfOnePacket:
      if !transmitSegments(offset: offset, byteCount: byteCount, offload, to: port) { refused &+= 1 }
    case .wouldBlock, .failed: refused &+= 1
    }
  }

  @inline(always) private mutating func write(
    frame index: Int, offset: Int, byteCount: Int, _ offload: Offload, to port: PacketPort
  ) -> TransferResult {
    guard var frame = Frame(frames[index], byteCount: 0) else { return .bytes(0) }
    let end = Frame.headroom &+ offset &+ byteCount
    switch port {
    case .none: return .wouldBlock
    case .tun(let queue):
      let start = offset &- Offload.byteCount
      offload.store(in: &frame, at: start)
      return frames.transmit(index, (Frame.headroom &+ start)..<end, to: queue)
    case .pair(let socket):
      let link = offset &- PacketSocket.linkHeaderByteCount
      let start = link &- Offload.byteCount
      offload.before(PacketSocket.linkHeaderByteCount).store(in: &frame, at: start)
      let (low, high) = TenantPair.headerToMachine
      frame.store(low, at: link)
      frame.store(UInt32(truncatingIfNeeded: high), at: link &+ 8)
      frame.store(UInt16(truncatingIfNeeded: high &>> 32), at: link &+ 12)
      return frames.transmit(index, (Frame.headroom &+ start)..<end, to: socket)
    }
  }

  /// Lets a packet for a VM join those before it.
  ///
  /// Where it cannot, what `takeJoined` gives is to be written first.
  @inline(always) mutating func join(
    offset: Int, byteCount: Int, _ offload: Offload, machine: UInt32
  ) -> Coalescer.Answer {
    Self.offer(&coalescer, &frames, offset: offset, byteCount: byteCount, offload, machine)
  }

  /// What has been joined since it was last taken, to be written at once.
  @inline(always) mutating func takeJoined() -> Joined? {
    guard coalescer.isPending else { return nil }
    return Self.take(&coalescer, &frames)
  }

  /// Writes what `takeJoined` gave.
  @inline(always) mutating func transmit(_ joined: Joined, to port: PacketPort) {
    switch write(frame: Self.pending, offset: 0, byteCount: joined.byteCount, joined.offload, to: port) {
    case .bytes: break
    case .wouldBlock, .failed: refused &+= 1
    }
  }

  /// A super-packet that has gathered for a VM.
  struct Joined {
    let machine: UInt32
    let byteCount: Int
    let offload: Offload
  }

  @inline(always) private static func offer(
    _ coalescer: inout Coalescer, _ frames: inout FramePool, offset: Int, byteCount: Int, _ offload: Offload,
    _ machine: UInt32
  ) -> Coalescer.Answer {
    frames.withPair(packet, pending) { packet, pending in
      coalescer.offer(
        packet, offset: offset, byteCount: byteCount, offload: offload, machine: machine, into: pending)
    }
  }

  @inline(always) private static func take(
    _ coalescer: inout Coalescer, _ frames: inout FramePool
  ) -> Joined? {
    guard let taken = coalescer.take(frames[pending]) else { return nil }
    return Joined(machine: taken.machine, byteCount: taken.byteCount, offload: taken.offload)
  }

  /// Writes a packet as it is to go over the wire: in segments, with complete checksums.
  ///
  /// So an encapsulated one, since behind an outer header the kernel would drop a super-packet that comes out
  /// of a TUN device. False: the offload made no sense, and nothing was written.
  mutating func transmitSegments(
    offset: Int, byteCount: Int, _ offload: Offload, to port: PacketPort
  ) -> Bool {
    guard
      var segmenter = Segmenter(
        frames[Self.packet], offset: offset, byteCount: byteCount, offload: offload)
    else { return false }
    while let segment = segmenter.next(frames[Self.packet]) {
      transmit(offset: segment.offset, byteCount: segment.byteCount, Offload(), to: port)
    }
    return true
  }

  /// Keeps a copy of the packet in a slot, until `release`.
  mutating func hold(_ byteCount: Int, _ offload: Offload, in slot: Int) {
    Self.hold(&held, &frames, byteCount, offload, slot)
  }

  private static func hold(
    _ held: inout HeldPackets, _ frames: inout FramePool, _ byteCount: Int, _ offload: Offload, _ slot: Int
  ) {
    guard let frame = Frame(frames[packet], byteCount: byteCount) else { return }
    held.keep(frame, byteCount: byteCount, offload, in: slot)
  }

  /// Lays what a slot keeps into the frame again; how long it is.
  mutating func release(_ slot: Int, _ offload: inout Offload) -> Int {
    Self.release(held, &frames, slot, &offload)
  }

  private static func release(
    _ held: HeldPackets, _ frames: inout FramePool, _ slot: Int, _ offload: inout Offload
  ) -> Int {
    let byteCount = held.byteCount(of: slot)
    guard var frame = Frame(frames[packet], byteCount: byteCount) else { return 0 }
    offload = held.lay(slot, into: &frame)
    return byteCount
  }

  /// A copy of the packet's first bytes, for those that are not on the packet path.
  mutating func copy(_ byteCount: Int) -> [UInt8] {
    guard let frame = Frame(frames[Self.packet], byteCount: byteCount) else { return [] }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(byteCount)
    for offset in 0..<byteCount { bytes.append(frame.load(offset, as: UInt8.self)) }
    return bytes
  }

  /// Lays a packet into the frame; false when it is too long.
  mutating func place(_ packet: [UInt8]) -> Bool {
    guard var frame = Frame(frames[Self.packet], byteCount: packet.count) else { return false }
    for (offset, byte) in packet.enumerated() { frame.store(byte, at: offset) }
    return true
  }
}
