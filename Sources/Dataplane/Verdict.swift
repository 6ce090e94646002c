/// What is to become of a packet.
public enum Verdict: BitwiseCopyable, Sendable {
  /// It goes no further; counted by reason.
  case drop(DropReason)
  /// It is not ours: the kernel's stack may have it.
  case pass
  /// Out to the underlay: `byteCount` bytes from `offset` on, negative when headers were put before it.
  case transmit(offset: Int, byteCount: Int)
  /// To the device of a local VM: `byteCount` bytes from `offset` on, positive when headers were taken off.
  case deliver(machine: UInt32, offset: Int, byteCount: Int)
  /// It waits for a port: whoever asked keeps a copy of it, with what the device left to do, in this of its slots,
  /// until the slot is named again.
  case hold(slot: Int)
}
