import Dataplane
import Mux
import Wire

/// What libFuzzer drives: the first 10 bytes of its input are the device's offload header, the rest is the packet.
nonisolated(unsafe) private var target = Target()

private struct Target: ~Copyable {
  static let room = Frame.headroom + 65_600
  var mux: Mux
  let memory: UnsafeMutableRawPointer
  var now: UInt32 = 0

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
    unsafe memory = .allocate(byteCount: Target.room, alignment: 16)
  }

  mutating func run(_ data: UnsafeRawPointer, _ count: Int) {
    guard count >= Offload.byteCount, count <= 65_535 else { return }
    let length = count - Offload.byteCount
    var offload = unsafe data.loadUnaligned(as: Offload.self)
    // The buffer ends where the packet ends, or where every buffer ends, so that a read behind it is noticed.
    let size = Frame.headroom + max(length, Frame.guaranteed)
    let buffer = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
    defer { unsafe buffer.deallocate() }
    unsafe buffer.initializeMemory(as: UInt8.self, repeating: 0, count: size)
    unsafe (buffer + Frame.headroom).copyMemory(from: data + Offload.byteCount, byteCount: length)
    repairChecksum(buffer + Frame.headroom)
    now &+= 1
    let span = unsafe MutableRawSpan(_unsafeStart: buffer, byteCount: size)
    if case .transmit(let offset, let byteCount) = mux.process(span, byteCount: length, offload: &offload, now: now) {
      precondition(offset == -20 || offset == 0 || offset == -28, "unknown offset")
      precondition(byteCount >= 28 && offset + byteCount <= length, "sends bytes that were not there")
      let first = unsafe (buffer + Frame.headroom + offset).load(as: UInt8.self)
      precondition(first == 0x45, "not an IPv4 header")
    }
    if now & 1_023 == 0 { mux.sweep(now: now) }
  }

  /// A fuzzer does not find checksums, so the header's is made right for every other input.
  func repairChecksum(_ packet: UnsafeMutableRawPointer) {
    guard now & 1 == 0 else { return }
    unsafe packet.storeBytes(of: 0, toByteOffset: 10, as: UInt16.self)
    var sum: UInt32 = 0
    for place in 0..<10 { unsafe sum &+= UInt32(packet.loadUnaligned(fromByteOffset: 2 * place, as: UInt16.self)) }
    while sum > 0xffff { sum = sum & 0xffff &+ sum >> 16 }
    unsafe packet.storeBytes(of: ~UInt16(sum), toByteOffset: 10, as: UInt16.self)
  }
}

@c(LLVMFuzzerTestOneInput)
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  unsafe target.run(UnsafeRawPointer(data), count)
  return 0
}
