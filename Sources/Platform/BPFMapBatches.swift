internal import CBPF
internal import Glibc

// Many entries with one call (Linux 5.6, and later for some kinds of maps); where the kernel has it not, one by
// one with the same outcome.
extension BPFMap {
  /// Shows every entry once, in no order; entries added or removed meanwhile may be shown or not.
  public borrowing func forEach<Key: BitwiseCopyable, Value: BitwiseCopyable>(
    _ body: (Key, Value) -> Void
  ) throws(PlatformError) {
    checkKey(Key.self)
    checkValue(Value.self)
    try unsafe scan { key, value in
      unsafe body(key.loadUnaligned(as: Key.self), value.loadUnaligned(as: Value.self))
    }
  }

  /// Shows every entry of a per-CPU map once, with the values of all CPUs; those of an array in order, and only the
  /// first ones if so asked.
  public borrowing func forEachPerCPU<Key: BitwiseCopyable, Value: BitwiseCopyable>(
    first limit: Int = .max, _ body: (Key, Span<Value>) -> Void
  ) throws(PlatformError) {
    checkKey(Key.self)
    checkPerCPU(Value.self)
    try unsafe scan(first: limit) { key, value in
      let values = unsafe UnsafeBufferPointer(
        start: value.assumingMemoryBound(to: Value.self), count: Self.possibleCPUs)
      unsafe body(key.loadUnaligned(as: Key.self), values.span)
    }
  }

  /// Adds or changes entries: the value of `keys[i]` becomes `values[i]`.
  ///
  /// On an error the first entries may be changed already. For a map of maps `insert` is meant.
  public borrowing func update<Key: BitwiseCopyable, Value: BitwiseCopyable>(
    _ keys: Span<Key>, to values: Span<Value>
  ) throws(PlatformError) {
    checkKey(Key.self)
    checkValue(Value.self)
    precondition(keys.count == values.count, "a value for each key")
    precondition(MemoryLayout<Key>.stride == MemoryLayout<Key>.size, "keys without gaps")
    precondition(MemoryLayout<Value>.stride == MemoryLayout<Value>.size, "values without gaps")
    var done = 0
    while done < keys.count {
      var count = UInt32(min(Limits.bpfBatch, keys.count - done))
      let outcome = BPFLibrary.call {
        unsafe keys.withUnsafeBufferPointer { keys in
          unsafe values.withUnsafeBufferPointer { values in
            guard let key = keys.baseAddress, let value = values.baseAddress else { return -EINVAL }
            return unsafe bpf_map_update_batch(descriptor.raw, key + done, value + done, &count, nil)
          }
        }
      }
      switch outcome {
      case .success: done += Int(count)
      case .failure(let error) where Self.lacksBatches(error):
        while done < keys.count {
          try update(keys[done], to: values[done])
          done += 1
        }
      case .failure(let error):
        throw refusal(error)
      }
    }
  }

  /// Removes entries; how many there were.
  @discardableResult public borrowing func remove<Key: BitwiseCopyable>(
    _ keys: Span<Key>
  ) throws(PlatformError) -> Int {
    // One by one: the kernel's call for many stops at the first key that is not there.
    var removed = 0
    for index in keys.indices where try remove(keys[index]) { removed += 1 }
    return removed
  }

  /// What a kernel says that has no batches for this kind of map.
  private static func lacksBatches(_ error: Errno) -> Bool {
    // 524 is the kernel's own ENOTSUPP.
    [524, EOPNOTSUPP, EINVAL].contains(error.rawValue)
  }

  /// Shows the bytes of every entry, or of as many as asked for.
  private borrowing func scan(
    first limit: Int = .max, _ body: (UnsafeRawPointer, UnsafeRawPointer) -> Void
  ) throws(PlatformError) {
    var left = min(limit, definition.shape.maxEntries)
    guard left > 0 else { return }
    // A hash map may hold one more than its maximum for a moment, so it is asked to the end.
    let isLimited = limit < definition.shape.maxEntries
    var batch = min(Limits.bpfBatch, definition.shape.maxEntries)
    let keySize = definition.shape.keySize
    // The kernel's mark of where it is: 4 bytes for hash maps, a key for the others.
    let mark = BPFScratch(byteCount: max(8, keySize))
    let next = BPFScratch(byteCount: max(8, keySize))
    var isFirst = true
    while true {
      let keys = BPFScratch(byteCount: batch * keySize)
      let values = BPFScratch(byteCount: batch * valueByteCount)
      var shallGrow = false
      while !shallGrow {
        var count = UInt32(isLimited ? min(batch, left) : batch)
        let outcome = BPFLibrary.call {
          unsafe bpf_map_lookup_batch(
            descriptor.raw, isFirst ? nil : mark.start, next.start, keys.start, values.start, &count, nil)
        }
        var isLast = false
        switch outcome {
        case .success: break
        case .failure(let error) where error.rawValue == ENOENT: isLast = true
        case .failure(let error) where error.rawValue == EINTR: continue
        case .failure(let error) where error.rawValue == ENOSPC && batch < definition.shape.maxEntries:
          // A bucket of the hash map has more entries than there is room for.
          shallGrow = true
          continue
        case .failure(let error) where isFirst && Self.lacksBatches(error):
          return try unsafe scanSingly(first: limit, body)
        case .failure(let error): throw PlatformError("list", "map \(name)", error)
        }
        for index in 0..<Int(min(count, UInt32(batch))) {
          unsafe body(keys.start + index * keySize, values.start + index * valueByteCount)
        }
        left -= Int(count)
        guard !isLast, !isLimited || left > 0 else { return }
        isFirst = false
        unsafe mark.start.copyMemory(from: next.start, byteCount: max(8, keySize))
      }
      batch = min(batch * 2, definition.shape.maxEntries)
    }
  }

  /// The same on a kernel without batches.
  borrowing func scanSingly(
    first limit: Int = .max, _ body: (UnsafeRawPointer, UnsafeRawPointer) -> Void
  ) throws(PlatformError) {
    let keySize = definition.shape.keySize
    let key = BPFScratch(byteCount: keySize)
    let next = BPFScratch(byteCount: keySize)
    let value = BPFScratch(byteCount: valueByteCount)
    // A hash map begins again when the last key has gone meanwhile, so that the steps are counted.
    for step in 0..<min(limit, definition.shape.maxEntries) {
      let outcome = BPFLibrary.call {
        unsafe bpf_map_get_next_key(descriptor.raw, step == 0 ? nil : key.start, next.start)
      }
      guard case .success = outcome else {
        guard case .failure(let error) = outcome, error.rawValue != ENOENT else { return }
        throw PlatformError("list", "map \(name)", error)
      }
      if case .success = BPFLibrary.call({
        unsafe bpf_map_lookup_elem(descriptor.raw, next.start, value.start)
      }) {
        unsafe body(next.start, value.start)
      }
      unsafe key.start.copyMemory(from: next.start, byteCount: keySize)
    }
  }
}
