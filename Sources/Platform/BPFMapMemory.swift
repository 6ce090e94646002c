internal import CBPF
internal import Glibc

/// The values of an array, in memory that programs see too: writing here needs no system call.
///
/// A value of up to 8 bytes that lies on a multiple of its size is read and written whole; for larger ones a
/// program may see some of the old bytes beside some of the new.
@safe public struct BPFMapMemory: ~Copyable, @unchecked Sendable {
  /// Bytes from one value to the next: the value's size in whole 8 bytes.
  public let stride: Int
  /// The number of values.
  public let count: Int
  private let base: UnsafeMutableRawPointer
  private let mappedByteCount: Int

  init(_ map: borrowing BPFMap) throws(PlatformError) {
    let shape = map.definition.shape
    stride = (shape.valueSize + 7) / 8 * 8
    count = shape.maxEntries
    let page = Int(sysconf(CInt(_SC_PAGESIZE)))
    mappedByteCount = (stride * count + page - 1) / page * page
    let mapping = unsafe mmap(nil, mappedByteCount, PROT_READ | PROT_WRITE, MAP_SHARED, map.descriptor.raw, 0)
    guard let mapping = unsafe mapping, unsafe mapping != MAP_FAILED else {
      throw PlatformError(
        "map into memory", "map \(map.name)", .current,
        advice: "The map needs to be an array with flag BPF_F_MMAPABLE, and not frozen.")
    }
    unsafe base = mapping
  }

  deinit { unsafe munmap(base, mappedByteCount) }

  /// Where the first value is, valid as long as the owner lives.
  @unsafe public var start: UnsafeMutableRawPointer { unsafe base }

  /// All values, as they are; programs may change them meanwhile.
  public var mutableBytes: MutableRawSpan {
    @_lifetime(&self) mutating get {
      let span = unsafe MutableRawSpan(_unsafeStart: base, byteCount: stride * count)
      return unsafe _overrideLifetime(span, mutating: &self)
    }
  }

  /// A value, by its index below `count`.
  ///
  /// The type has at most `stride` bytes.
  public subscript<Value: BitwiseCopyable>(index: Int, as _: Value.Type) -> Value {
    get { unsafe address(index, Value.self).load(as: Value.self) }
    nonmutating set { unsafe address(index, Value.self).storeBytes(of: newValue, as: Value.self) }
  }

  /// Raises a number of 4 bytes that programs may be raising too; it wraps around.
  public func add(_ amount: Int32, to index: Int) {
    unsafe cbpf_atomic_add(address(index, UInt32.self), UInt32(bitPattern: amount))
  }

  private func address<Value>(_ index: Int, _: Value.Type) -> UnsafeMutableRawPointer {
    precondition(index >= 0 && index < count, "no such value")
    precondition(MemoryLayout<Value>.size <= stride, "a type no larger than the value")
    return unsafe base + index * stride
  }
}
