import CKernel

/// The value in a map at an index or key; nil when the map has none.
///
/// Values live in the kernel's memory, never move, and are read and written in place.
@safe struct Memory<Value: BitwiseCopyable> {
  let place: UnsafeMutablePointer<Value>

  @inline(__always) init?(_ address: UnsafeMutableRawPointer?) {
    guard let address = unsafe address else { return nil }
    unsafe place = unsafe address.assumingMemoryBound(to: Value.self)
  }

  @inline(__always) var value: Value {
    get { unsafe place.pointee }
    nonmutating set { unsafe place.pointee = newValue }
  }
}
