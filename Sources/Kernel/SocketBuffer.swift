import CKernel
import Dataplane
import Wire

/// The verdicts of a tc program.
enum TrafficAction {
  /// Go on with the next filter, or the stack.
  @inline(__always) static var unspecified: Int32 { -1 }
  @inline(__always) static var accept: Int32 { 0 }
  @inline(__always) static var shot: Int32 { 2 }
}

/// A socket buffer as tc shows it; the pointers hold until a helper moves the packet.
@safe struct SocketBuffer {
  let data: UnsafeMutableRawPointer
  let end: UnsafeMutableRawPointer

  @inline(__always) init(_ skb: UnsafePointer<sk_buff>) {
    unsafe data = UnsafeMutableRawPointer(bitPattern: UInt(skb.pointee.data)).unsafelyUnwrapped
    unsafe end = UnsafeMutableRawPointer(bitPattern: UInt(skb.pointee.data_end)).unsafelyUnwrapped
  }

  @inline(__always) func holds(_ count: Int) -> Bool { unsafe data + count <= end }

  /// Sees to it that the packet's first bytes can be touched, if it has them; nil when the kernel has no memory.
  @inline(__always) static func pulled(_ skb: UnsafePointer<sk_buff>, _ count: UInt32) -> SocketBuffer? {
    let buffer = unsafe SocketBuffer(skb)
    let wanted = unsafe min(skb.pointee.len, count)
    if unsafe buffer.holds(Int(count)) || buffer.end - buffer.data >= Int(wanted) { return buffer }
    guard unsafe skb_pull(skb, wanted) == 0 else { return nil }
    return unsafe SocketBuffer(skb)
  }

  /// The packet that begins at an offset.
  @inline(__always) func packet(_ skb: UnsafePointer<sk_buff>, at offset: Int) -> Frame {
    unsafe Frame(start: data + offset, end: end, byteCount: Int(skb.pointee.len) &- offset)
  }
}

/// What `skb_adjust_room` is asked for.
enum Room {
  /// BPF_ADJ_ROOM_MAC: between the link layer's header and the network's.
  @inline(__always) static var behindEthernet: UInt32 { 1 }
  /// BPF_F_ADJ_ROOM_FIXED_GSO | BPF_F_ADJ_ROOM_ENCAP_L3_IPV4 | BPF_F_ADJ_ROOM_NO_CSUM_RESET: an IPv4 tunnel, and a
  /// super-packet stays whole.
  @inline(__always) static var tunnel: UInt64 { 1 | 2 | 32 }
  /// BPF_F_ADJ_ROOM_FIXED_GSO | BPF_F_ADJ_ROOM_NO_CSUM_RESET: a tunnel's header goes, and a super-packet stays whole.
  @inline(__always) static var whole: UInt64 { 1 | 32 }
}
