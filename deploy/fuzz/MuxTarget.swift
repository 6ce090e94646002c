import Dataplane
import Mux
import Wire

/// The first 10 bytes of an input are the device's offload header, the rest is the packet.
struct Target: ~Copyable {
  private var mux: Mux
  private var now: UInt32 = 0

  init() {
    let vip = IPv4Address(203, 0, 113, 10)
    let backends = (1...4).map { WeightedBackend(locator: IPv4Address(10, 1, 0, UInt8($0))) }
    func endpoints(_ backends: [WeightedBackend]) -> [EndpointConfiguration] {
      [
        EndpointConfiguration(vip: vip, port: 80, proto: .tcp, backends: backends),
        EndpointConfiguration(vip: vip, port: 53, proto: .udp, backends: backends),
      ]
    }
    let empty = VIPMap(seed: 42, slotCount: 1_021, counterRows: 64)
    guard let first = try? empty.updated(endpoints: endpoints(backends), now: 0),
      let moving = try? first.updated(endpoints: endpoints([WeightedBackend](backends.dropLast())), now: 0)
    else { preconditionFailure("the target's endpoints make a map") }
    mux = Mux(
      address: IPv4Address(10, 0, 0, 1), map: moving, counters: MuxCounters(rowCount: 64), flowRecords: 1_024)
  }

  mutating func run(_ data: Input) {
    var input = data
    var offload = input.offload()
    var bytes = input.bytes(65_535)
    now &+= 1
    // A flag that no device has says that the header is to stay as it came.
    if offload.flags & 0x80 == 0 { repairHeaderChecksum(&bytes) }
    offload.flags &= 0x7f
    let packet = FuzzedPacket(bytes)
    let verdict = mux.process(packet.span, byteCount: packet.byteCount, offload: &offload, now: now)
    if case .transmit(let offset, let byteCount) = verdict {
      precondition(offset == -20 || offset == 0 || offset == -28, "unknown offset")
      precondition(
        byteCount >= 28 && offset + byteCount <= packet.byteCount, "sends bytes that were not there")
      precondition(packet.isPacket(at: offset, count: byteCount, isLong: true), "sends what is no packet")
      packet.segment(offset: offset, byteCount: byteCount, offload: offload)
    }
    if now & 1_023 == 0 { mux.sweep(now: now) }
  }
}
