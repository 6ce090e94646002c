internal import CBPF
internal import Glibc

/// What a program did with given bytes (BPF_PROG_TEST_RUN).
public struct BPFTestRun: Hashable, Sendable {
  /// What the program returned, such as 2 for XDP_PASS.
  public let returnValue: UInt32
  /// The packet afterwards; empty when it was sent off (`liveFrames`).
  public let data: [UInt8]
  /// The context afterwards (`struct __sk_buff` or `struct xdp_md`); empty where none was given.
  public let context: [UInt8]
  /// The average time of one run in nanoseconds.
  public let nanoseconds: UInt32
}

extension BPFProgram {
  /// Runs the program on a packet, as often as told, and gives back what became of the packet.
  ///
  /// The packet begins with its Ethernet header, 14 bytes at least. The program may make it `growth` bytes
  /// longer. With more than one run, each finds what the one before left. With `liveFrames` (XDP; Linux 5.18)
  /// what it returns is done, in batches of `batch` packets: XDP_TX sends from the context's device.
  public borrowing func testRun(
    _ packet: [UInt8], context: BPFTestContext = .none, repeating count: Int = 1, growth: Int = 256,
    liveFrames: Bool = false, batch: Int = 0
  ) throws(PlatformError) -> BPFTestRun {
    let context = context.bytes(byteCount: packet.count)
    let room = BPFScratch(byteCount: liveFrames ? 0 : packet.count + growth)
    let contextRoom = BPFScratch(byteCount: liveFrames ? 0 : context.count)
    guard packet.count + growth <= Limits.bpfTestBytes, let repeats = UInt32(exactly: count),
      let batch = UInt32(exactly: batch)
    else {
      throw PlatformError("run", "program \(name)", Errno(rawValue: E2BIG), reason: .invalid)
    }
    var test = cbpf_test()
    test.repeat = repeats
    test.flags = liveFrames ? 2 : 0
    test.batch = batch
    test.data_in_bytes = UInt32(packet.count)
    test.context_in_bytes = UInt32(context.count)
    test.data_out_bytes = UInt32(room.byteCount)
    test.context_out_bytes = UInt32(contextRoom.byteCount)
    try BPFLibrary.check("run", "program \(name) on \(packet.count) bytes") {
      unsafe packet.withUnsafeBytes { packet in
        unsafe context.withUnsafeBytes { context in
          unsafe cbpf_test_run(
            descriptor.raw, &test, packet.baseAddress, room.byteCount == 0 ? nil : room.start,
            context.isEmpty ? nil : context.baseAddress, contextRoom.byteCount == 0 ? nil : contextRoom.start)
        }
      }
    }
    return BPFTestRun(
      returnValue: test.return_value,
      data: room.byteCount == 0 ? [] : room.bytes(Int(test.data_out_bytes)),
      context: contextRoom.byteCount == 0 ? [] : contextRoom.bytes(Int(test.context_out_bytes)),
      nanoseconds: test.nanoseconds)
  }
}
