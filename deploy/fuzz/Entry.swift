nonisolated(unsafe) private var target = Target()

/// What libFuzzer calls for every input.
@c(LLVMFuzzerTestOneInput)
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  target.run(Input(unsafe UnsafeRawBufferPointer(start: data, count: count)))
  return 0
}

/// The bytes that libFuzzer made up, read from the front; behind the end there are zeros.
struct Input {
  private var rest: UnsafeRawBufferPointer.SubSequence

  init(_ bytes: UnsafeRawBufferPointer) { unsafe rest = bytes[...] }

  var isEmpty: Bool { unsafe rest.isEmpty }

  mutating func byte() -> Int { unsafe Int(rest.popFirst() ?? 0) }

  mutating func word() -> Int { byte() | byte() << 8 }

  /// At most so many bytes.
  mutating func bytes(_ most: Int) -> [UInt8] {
    let taken = unsafe rest.prefix(most)
    unsafe rest = rest.dropFirst(most)
    return unsafe [UInt8](taken)
  }
}
