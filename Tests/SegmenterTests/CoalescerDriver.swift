import Dataplane
import PacketBuilder
import Wire

/// A packet on its way to a VM.
struct Delivery: Equatable {
  var bytes: [UInt8]
  var offload = Offload()
  var machine: UInt32 = 1

  static func == (a: Delivery, b: Delivery) -> Bool {
    a.bytes == b.bytes && a.machine == b.machine && a.offload.flags == b.offload.flags
      && a.offload.gsoType == b.offload.gsoType && a.offload.gsoSize == b.offload.gsoSize
      && a.offload.checksumStart == b.offload.checksumStart
      && a.offload.checksumOffset == b.offload.checksumOffset
  }

  /// What goes over the wire for it; nil when the offload makes no sense.
  var onTheWire: [[UInt8]]? { segments(of: bytes, offload) }
}

/// A coalescer with its buffers, used as a worker uses it.
struct Driver {
  private var coalescer = Coalescer()
  private var pending: Memory
  /// What was written, in order.
  private(set) var written: [Delivery] = []

  init(room: Int = 65_536 + 192) {
    pending = Memory([UInt8](repeating: 0xee, count: room))
  }

  var isPending: Bool { coalescer.isPending }

  /// Offers once, writes nothing.
  mutating func offer(_ packet: Delivery, at offset: Int = 20) -> Coalescer.Answer {
    var buffer = Memory(packet.bytes, at: offset)
    return offer(&buffer, at: offset, byteCount: packet.bytes.count, packet.offload, packet.machine)
  }

  mutating func offer(
    _ buffer: inout Memory, at offset: Int, byteCount: Int, _ offload: Offload, _ machine: UInt32
  ) -> Coalescer.Answer {
    var coalescer = coalescer
    let answer = buffer.withSpan { packet in
      // A closure that is called once: the span goes through it untouched.
      var packet = Optional(packet)
      return pending.withSpan { target in
        guard let packet = packet.take() else { return Coalescer.Answer.unsuitable }
        return coalescer.offer(
          packet, offset: offset, byteCount: byteCount, offload: offload, machine: machine, into: target)
      }
    }
    self.coalescer = coalescer
    return answer
  }

  /// Offers, and writes what has to be written.
  mutating func deliver(_ packet: Delivery, at offset: Int = 20) -> Coalescer.Answer {
    var answer = offer(packet, at: offset)
    if answer == .conflict {
      flush()
      answer = offer(packet, at: offset)
    }
    if answer == .unsuitable {
      flush()
      written.append(packet)
    }
    return answer
  }

  /// Writes what is pending.
  mutating func flush() {
    guard let whole = pending.withSpan({ coalescer.take($0) }) else { return }
    written.append(
      Delivery(
        bytes: pending.bytes(from: whole.offset, count: whole.byteCount), offload: whole.offload,
        machine: whole.machine))
  }
}

/// A segment of bulk data, and everything that may be different about it.
struct Data {
  var network = IPv4("198.51.100.10", "10.1.0.5", identification: 700)
  var transport = TCP(4000, 80, .ack, sequence: 1000, acknowledgment: 77, window: 500)
  var payload = Payload(count: 100)
  var offload = Offload()
  var machine: UInt32 = 1

  /// The one that follows, with as much data.
  var next: Data {
    var next = self
    next.network.identification &+= 1
    next.transport.sequence &+= UInt32(payload.content.count)
    return next
  }

  var delivery: Delivery {
    Delivery(bytes: (network / transport / payload).bytes, offload: offload, machine: machine)
  }

  static var partial: Offload {
    var offload = Offload()
    offload.flags = Offload.needsChecksum
    offload.checksumStart = 20
    offload.checksumOffset = 16
    return offload
  }
}
