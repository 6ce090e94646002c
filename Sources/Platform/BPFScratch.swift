internal import Glibc

/// Memory for one call to the kernel.
@safe struct BPFScratch: ~Copyable {
  /// The first byte; valid as long as the owner lives, and aligned to 16 bytes.
  let start: UnsafeMutableRawPointer
  let byteCount: Int

  /// Takes zeroed memory; pages that are never touched cost nothing.
  init(byteCount: Int) {
    self.byteCount = byteCount
    guard let start = unsafe calloc(max(1, byteCount), 1) else { preconditionFailure("memory for a call") }
    unsafe self.start = start
  }

  deinit { unsafe free(start) }

  /// The first bytes, copied.
  borrowing func bytes(_ count: Int) -> [UInt8] {
    unsafe Array(UnsafeRawBufferPointer(start: start, count: min(count, byteCount)))
  }
}
