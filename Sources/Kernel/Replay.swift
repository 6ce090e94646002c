import CKernel
import Dataplane
import Wire

/// Makes the next packet of a load in the place of the last one, and goes on with the program that is measured.
///
/// BPF_PROG_TEST_RUN hands the same buffer to every run, so what the last run has put before the packet is taken away
/// first. The jump to the program costs next to nothing, since its index is a constant.
@c(ananta_replay) @section("xdp/replay")
func replay(_ context: UnsafePointer<xdp_md>) -> Int32 {
  var zero: UInt32 = 0
  guard let load = unsafe Memory<KernelLoad>(replay_load_at(&zero)) else { return XDPAction.aborted }
  let left = unsafe XDPFrame(context)
  let growth = counted(load, left)
  // Also by 0, so that every program is charged the same.
  guard unsafe xdp_adjust_head(context, Int32(truncatingIfNeeded: growth)) == 0 else { return failed(load) }
  let frame = unsafe XDPFrame(context)
  guard frame.holds(Replayed.byteCount) else { return failed(load) }
  Replayed.write(load, frame)
  _ = unsafe replay_tail_call(context)
  return failed(load)
}

/// The least a program can do: the floor of the figures.
@c(ananta_floor) @section("xdp/floor")
func floor(_ context: UnsafePointer<xdp_md>) -> Int32 { XDPAction.transmit }

/// Counts what arrives and drops it: the end of a measured way.
@c(ananta_sink) @section("xdp/sink")
func sink(_ context: UnsafePointer<xdp_md>) -> Int32 {
  var zero: UInt32 = 0
  guard let load = unsafe Memory<KernelLoad>(replay_load_at(&zero)) else { return XDPAction.aborted }
  _ = unsafe counted(load, XDPFrame(context))
  return XDPAction.drop
}

/// Counts a frame by its length, and says by how much that differs from the load's.
@inline(__always) func counted(_ load: Memory<KernelLoad>, _ frame: XDPFrame) -> Int {
  let growth = frame.byteCount &- Int(load.value.byteCount)
  switch growth {
  case 0: unsafe load.place.pointee.unchanged &+= 1
  case IPIP.byteCount: unsafe load.place.pointee.grown &+= 1
  default: unsafe load.place.pointee.other &+= 1
  }
  return growth
}

@inline(__always) func failed(_ load: Memory<KernelLoad>) -> Int32 {
  unsafe load.place.pointee.failed &+= 1
  return XDPAction.aborted
}

/// The headers of a packet that is replayed.
///
/// They are written 8 bytes at a time, and where one word ends and the next begins lies between two fields (14, 22,
/// 30, ...): a field that is loaded across two stores under way would have to wait for both, which no packet of a
/// device has to.
enum Replayed {
  /// What is written of a frame.
  @inline(__always) static var byteCount: Int { 64 }

  @inline(__always) static func write(_ load: Memory<KernelLoad>, _ frame: XDPFrame) {
    copy(load, frame, 0)
    copy(load, frame, 56)
    copy(load, frame, 6)
    copy(load, frame, 14)
    copy(load, frame, 38)
    copy(load, frame, 46)
    copy(load, frame, 54)
    guard load.value.order != KernelLoad.Order.one.rawValue else {
      copy(load, frame, 22)
      copy(load, frame, 30)
      return
    }
    let flow = next(load)
    let source = load.value.firstSource &+ flow
    // TTL, protocol, checksum, source.
    let hops = word(load, 22) & 0xffff
    let sum = checksum(load.value.partialSum &+ source &>> 16 &+ source & 0xffff)
    frame.store(hops | UInt64(sum.bigEndian) &<< 16 | UInt64(source.bigEndian) &<< 32, at: 22)
    // Destination, ports; no two of 2^32 connections are alike.
    let port = 1_024 &+ UInt16(truncatingIfNeeded: (flow &* 0x9e37_79b1) &>> 17)
    let addressAndPorts = word(load, 30)
    let first = UInt16(truncatingIfNeeded: addressAndPorts &>> 48).bigEndian
    let other = UInt64((flow &* 0x85eb_ca6b) &>> 16) &* UInt64(load.value.portCount) &>> 16
    let destinationPort = first &+ UInt16(truncatingIfNeeded: other)
    frame.store(
      addressAndPorts & 0xffff_ffff | UInt64(port.bigEndian) &<< 32 | UInt64(destinationPort.bigEndian)
        &<< 48,
      at: 30)
  }

  @inline(__always) static func next(_ load: Memory<KernelLoad>) -> UInt32 {
    let count = UInt64(load.value.flowCount)
    if load.value.order == KernelLoad.Order.sequential.rawValue {
      let flow = load.value.next
      unsafe load.place.pointee.next = flow &+ 1 >= count ? 0 : flow &+ 1
      return UInt32(truncatingIfNeeded: flow)
    }
    // A linear congruential generator (Knuth's MMIX), whose upper bits are good.
    let random = load.value.random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    unsafe load.place.pointee.random = random
    return UInt32(truncatingIfNeeded: ((random &>> 32) &* count) &>> 32)
  }

  @inline(__always) static func checksum(_ sum: UInt32) -> UInt16 {
    let once = sum & 0xffff &+ sum &>> 16
    return ~UInt16(truncatingIfNeeded: once &+ once &>> 16)
  }

  @inline(__always) static func word(_ load: Memory<KernelLoad>, _ offset: Int) -> UInt64 {
    unsafe UnsafeRawPointer(load.place).load(fromByteOffset: offset, as: UInt64.self)
  }

  @inline(__always) static func copy(_ load: Memory<KernelLoad>, _ frame: XDPFrame, _ offset: Int) {
    frame.store(word(load, offset), at: offset)
  }
}
