internal import CBPF

/// What a program is told about a packet in BPF_PROG_TEST_RUN, beside the packet itself.
public enum BPFTestContext: Hashable, Sendable {
  /// Nothing: the kernel's defaults.
  case none
  /// For XDP (`struct xdp_md`; Linux 5.15): the device the packet came in by, and the queue.
  case xdp(device: Int32, queue: UInt32 = 0)
  /// For tc (`struct __sk_buff`): a device, or 0, a mark, and the kernel's plan to segment, 0 for none.
  case classifier(device: Int32 = 0, mark: UInt32 = 0, segmentSize: UInt32 = 0, segments: UInt32 = 0)

  /// The structure's bytes, for a packet of `byteCount` bytes.
  func bytes(byteCount: Int) -> [UInt8] {
    switch self {
    case .none: return []
    case .xdp(let device, let queue):
      let fields: [UInt32] = [0, UInt32(byteCount), 0, UInt32(bitPattern: device), queue, 0]
      return fields.flatMap { field in (0..<4).map { UInt8(truncatingIfNeeded: field >> (8 * $0)) } }
    case .classifier(let device, let mark, let size, let segments):
      let capacity = cbpf_skb_context_bytes()
      var bytes = [UInt8](repeating: 0, count: capacity)
      _ = unsafe bytes.withUnsafeMutableBufferPointer {
        unsafe cbpf_skb_context($0.baseAddress, capacity, UInt32(bitPattern: device), mark, size, segments)
      }
      return bytes
    }
  }
}
