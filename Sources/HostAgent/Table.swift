/// A fixed number of elements in memory of their own, a power of two, so that an index is masked and never
/// out of range.
///
/// Tables are too big for an `InlineArray`, whose initial value is built on the stack, and an `Array` checks
/// for uniqueness on every write.
@safe struct Table<Element: BitwiseCopyable>: ~Copyable {
  private let base: UnsafeMutablePointer<Element>
  /// The number of elements less one.
  let mask: Int

  /// Makes room for at least `capacity` elements, on cache lines of their own.
  init(capacity: Int, repeating element: Element) {
    var count = 1
    while count < capacity { count <<= 1 }
    let bytes = UnsafeMutableRawPointer.allocate(
      byteCount: count * MemoryLayout<Element>.stride, alignment: 64)
    unsafe base = bytes.bindMemory(to: Element.self, capacity: count)
    unsafe base.initialize(repeating: element, count: count)
    mask = count - 1
  }

  /// Makes room for at least `capacity` elements that are written before they are read: memory that is not touched
  /// before it is needed.
  init(untouched capacity: Int) {
    var count = 1
    while count < capacity { count <<= 1 }
    let bytes = UnsafeMutableRawPointer.allocate(
      byteCount: count * MemoryLayout<Element>.stride, alignment: 64)
    unsafe base = bytes.bindMemory(to: Element.self, capacity: count)
    mask = count - 1
  }

  deinit { unsafe base.deallocate() }

  /// How many elements there are.
  @inline(always) var count: Int { mask &+ 1 }

  /// The element at an index, of which only the bits within the mask count.
  @inline(always) subscript(index: Int) -> Element {
    get { unsafe base[index & mask] }
    set { unsafe base[index & mask] = newValue }
  }
}
