internal import CBPF
internal import Glibc

// Keys and values are plain structures without padding, or with padding that is written out: the kernel compares
// keys byte by byte. A type of another size than the map's is a mistake of the program and stops it.
extension BPFMap {
  /// What is to be there before an update (`BPF_ANY`, `BPF_NOEXIST`, `BPF_EXIST`).
  public enum Condition: UInt64, Hashable, Sendable {
    /// Nothing: an entry is added or changed.
    case any = 0
    /// No entry of that key: one is added, or the error has reason `exists`.
    case absent = 1
    /// An entry of that key: it is changed, or the error has reason `missing`.
    case present = 2
  }

  /// The value of a key; nil when there is none.
  public borrowing func value<Key: BitwiseCopyable, Value: BitwiseCopyable>(
    of key: Key, as _: Value.Type = Value.self
  ) throws(PlatformError) -> Value? {
    checkKey(Key.self)
    checkValue(Value.self)
    var found: Value?
    var failure: Errno?
    unsafe withUnsafeTemporaryAllocation(of: Value.self, capacity: 1) { value in
      let outcome = unsafe lookUp(key, value.baseAddress)
      switch outcome {
      case .success: found = unsafe value[0]
      case .failure(let error): failure = error
      }
    }
    try pass(failure, "read")
    return found
  }

  /// Puts the values that all CPUs have for a key into `values`, which has room for them; whether there are any.
  ///
  /// A value has a size of whole 8 bytes. Nothing is allocated.
  public borrowing func values<Key: BitwiseCopyable, Value: BitwiseCopyable>(
    of key: Key, into values: inout MutableSpan<Value>
  ) throws(PlatformError) -> Bool {
    checkKey(Key.self)
    checkPerCPU(Value.self)
    precondition(values.count >= Self.possibleCPUs, "room for a value of each CPU")
    let outcome = unsafe values.withUnsafeMutableBufferPointer { unsafe lookUp(key, $0.baseAddress) }
    guard case .failure(let error) = outcome else { return true }
    try pass(error, "read")
    return false
  }

  /// Adds or changes an entry.
  ///
  /// For a map of maps `insert` is meant.
  public borrowing func update<Key: BitwiseCopyable, Value: BitwiseCopyable>(
    _ key: Key, to value: Value, if condition: Condition = .any
  ) throws(PlatformError) {
    checkKey(Key.self)
    checkValue(Value.self)
    try put(key, value, condition)
  }

  /// Adds or changes an entry whose value is many elements, one behind the other.
  public borrowing func update<Key: BitwiseCopyable, Element: BitwiseCopyable>(
    _ key: Key, toElements elements: Span<Element>
  ) throws(PlatformError) {
    checkKey(Key.self)
    precondition(
      MemoryLayout<Element>.stride * elements.count == definition.shape.valueSize, "a value of the map's size"
    )
    try BPFLibrary.check("change", "map \(name)") {
      unsafe withUnsafeBytes(of: key) { key in
        unsafe elements.withUnsafeBufferPointer { value in
          unsafe bpf_map_update_elem(descriptor.raw, key.baseAddress, value.baseAddress, 0)
        }
      }
    }
  }

  /// The value of a key as the elements that lie in it; nil when there is none.
  public borrowing func elements<Key: BitwiseCopyable, Element: BitwiseCopyable>(
    of key: Key, as _: Element.Type
  ) throws(PlatformError) -> [Element]? {
    checkKey(Key.self)
    let count = definition.shape.valueSize / MemoryLayout<Element>.stride
    precondition(count * MemoryLayout<Element>.stride == definition.shape.valueSize, "whole elements")
    // The kernel writes values in whole 8 bytes.
    let room = BPFScratch(byteCount: (definition.shape.valueSize + 7) / 8 * 8)
    if case .failure(let error) = unsafe lookUp(key, room.start) {
      try pass(error, "read")
      return nil
    }
    return unsafe Array(
      UnsafeBufferPointer(start: room.start.assumingMemoryBound(to: Element.self), count: count))
  }

  /// Gives every CPU a value for a key.
  ///
  /// There is one value for each possible CPU, each of whole 8 bytes.
  public borrowing func update<Key: BitwiseCopyable, Value: BitwiseCopyable>(
    _ key: Key, toPerCPU values: Span<Value>, if condition: Condition = .any
  ) throws(PlatformError) {
    checkKey(Key.self)
    checkPerCPU(Value.self)
    precondition(values.count == Self.possibleCPUs, "one value for each CPU")
    let outcome = BPFLibrary.call {
      unsafe withUnsafeBytes(of: key) { key in
        unsafe values.withUnsafeBufferPointer { value in
          unsafe bpf_map_update_elem(descriptor.raw, key.baseAddress, value.baseAddress, condition.rawValue)
        }
      }
    }
    if case .failure(let error) = outcome { throw refusal(error) }
  }

  /// Puts a map into a map of maps, in the place of what was there.
  ///
  /// Packets see the old map or the new one, and the call returns when no program uses the old one any more.
  public borrowing func insert<Key: BitwiseCopyable>(
    _ inner: borrowing BPFMap, at key: Key
  ) throws(PlatformError) {
    precondition(definition.shape.type.isMapOfMaps, "a map of maps")
    checkKey(Key.self)
    try put(key, inner.descriptor.raw, .any)
  }

  /// The kernel's number for the map a map of maps has at a key; nil when there is none.
  public borrowing func innerID<Key: BitwiseCopyable>(at key: Key) throws(PlatformError) -> UInt32? {
    precondition(definition.shape.type.isMapOfMaps, "a map of maps")
    return try value(of: key, as: UInt32.self)
  }

  /// The map a map of maps has at a key, whatever its number of entries; nil when there is none.
  public borrowing func inner<Key: BitwiseCopyable>(at key: Key, named name: String = "inner")
    throws(PlatformError) -> BPFMap?
  {
    guard let shape = definition.inner, let id = try innerID(at: key) else { return nil }
    return try BPFMap.open(id: id, BPFMapDefinition(name, shape))
  }

  /// Puts a program into a map of programs, for tail calls.
  public borrowing func insert<Key: BitwiseCopyable>(
    _ program: borrowing BPFProgram, at key: Key
  ) throws(PlatformError) {
    precondition(definition.shape.type == .programArray, "a map of programs")
    checkKey(Key.self)
    try put(key, program.descriptor.raw, .any)
  }

  /// Removes an entry; whether there was one.
  @discardableResult public borrowing func remove<Key: BitwiseCopyable>(_ key: Key) throws(PlatformError)
    -> Bool
  {
    checkKey(Key.self)
    let outcome = BPFLibrary.call {
      unsafe withUnsafeBytes(of: key) { unsafe bpf_map_delete_elem(descriptor.raw, $0.baseAddress) }
    }
    guard case .failure(let error) = outcome else { return true }
    try pass(error, "change")
    return false
  }

  private borrowing func put<Key: BitwiseCopyable, Value: BitwiseCopyable>(
    _ key: Key, _ value: Value, _ condition: Condition
  ) throws(PlatformError) {
    let outcome = BPFLibrary.call {
      unsafe withUnsafeBytes(of: key) { key in
        unsafe withUnsafeBytes(of: value) { value in
          unsafe bpf_map_update_elem(descriptor.raw, key.baseAddress, value.baseAddress, condition.rawValue)
        }
      }
    }
    if case .failure(let error) = outcome { throw refusal(error) }
  }

  /// What it means that the kernel does not take an entry.
  borrowing func refusal(_ error: Errno) -> PlatformError {
    let shape = definition.shape
    if let inner = definition.inner, error.rawValue == EINVAL {
      return PlatformError(
        "change", "map \(name)", error,
        advice: "The inner map needs the shape the outer one was made for: \(inner).")
    }
    // An array says by the same number that there is no such index.
    let isFull = error.rawValue == E2BIG && [.hash, .perCPUHash, .lpmTrie, .hashOfMaps].contains(shape.type)
    guard isFull else { return PlatformError("change", "map \(name)", error) }
    return PlatformError(
      "change", "map \(name)", error, reason: .exhausted,
      advice: "It is full with \(shape.maxEntries) entries.")
  }

  private borrowing func lookUp<Key: BitwiseCopyable>(
    _ key: Key, _ value: UnsafeMutableRawPointer?
  ) -> Result<CInt, Errno> {
    BPFLibrary.call {
      unsafe withUnsafeBytes(of: key) { unsafe bpf_map_lookup_elem(descriptor.raw, $0.baseAddress, value) }
    }
  }

  /// ENOENT is an answer, everything else an error.
  private borrowing func pass(_ failure: Errno?, _ attempt: String) throws(PlatformError) {
    guard let failure, failure.rawValue != ENOENT else { return }
    throw PlatformError(attempt, "map \(name)", failure)
  }

  borrowing func checkKey<Key: BitwiseCopyable>(_: Key.Type) {
    precondition(MemoryLayout<Key>.size == definition.shape.keySize, "a key of the map's size")
  }

  borrowing func checkValue<Value: BitwiseCopyable>(_: Value.Type) {
    precondition(!definition.shape.type.isPerCPU, "a map with one value for each key")
    precondition(MemoryLayout<Value>.size == definition.shape.valueSize, "a value of the map's size")
  }

  borrowing func checkPerCPU<Value: BitwiseCopyable>(_: Value.Type) {
    precondition(definition.shape.type.isPerCPU, "a per-CPU map")
    precondition(
      MemoryLayout<Value>.stride == definition.shape.valueSize && MemoryLayout<Value>.stride % 8 == 0,
      "a value of the map's size, in whole 8 bytes")
  }
}
