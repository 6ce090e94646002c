import CKernel
import Dataplane
import Wire

/// The verdicts of an XDP program.
enum XDPAction {
  @inline(__always) static var aborted: Int32 { 0 }
  @inline(__always) static var drop: Int32 { 1 }
  @inline(__always) static var pass: Int32 { 2 }
  @inline(__always) static var transmit: Int32 { 3 }
}

/// A frame as XDP shows it.
@safe struct XDPFrame {
  let data: UnsafeMutableRawPointer
  let end: UnsafeMutableRawPointer

  @inline(__always) init(_ context: UnsafePointer<xdp_md>) {
    unsafe data = UnsafeMutableRawPointer(bitPattern: UInt(context.pointee.data)).unsafelyUnwrapped
    unsafe end = UnsafeMutableRawPointer(bitPattern: UInt(context.pointee.data_end)).unsafelyUnwrapped
  }

  @inline(__always) func holds(_ count: Int) -> Bool { unsafe data + count <= end }

  @inline(__always) var byteCount: Int { unsafe end - data }

  /// The packet that begins at an offset.
  @inline(__always) func packet(at offset: Int) -> Frame {
    unsafe Frame(start: data + offset, end: end, byteCount: byteCount &- offset)
  }

  /// Lays a value down as it lies in memory; as one store, which `storeBytes` is not.
  @inline(__always) func store<Value: BitwiseCopyable>(_ value: Value, at offset: Int) {
    unsafe (data + offset).assumingMemoryBound(to: Value.self).pointee = value
  }

  @inline(__always) func storeEthernet(_ hop: KernelNextHop) {
    store(hop.destinationLow, at: 0)
    store(hop.destinationHigh, at: 4)
    store(hop.sourceLow, at: 6)
    store(hop.sourceHigh, at: 8)
    store(Ethernet.ipv4, at: 12)
  }
}
