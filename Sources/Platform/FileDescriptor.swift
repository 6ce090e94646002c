internal import Glibc

/// Owns an open file descriptor; closes it exactly once, when its owner lets go.
public struct FileDescriptor: ~Copyable, Sendable {
  /// The number, for system calls; valid as long as the owner lives.
  public let raw: CInt

  /// Takes over a descriptor that nobody else will close.
  @inline(always) public init(owning raw: CInt) { self.raw = raw }

  deinit { _ = Glibc.close(raw) }

  /// Closes the descriptor and says how that went.
  ///
  /// The corresponding C function is `close`.
  public consuming func close() throws(Errno) {
    let number = raw
    discard self
    guard Glibc.close(number) == 0 else { throw .current }
  }

  /// Gives the descriptor up to an owner outside Swift, who has to close it.
  public consuming func release() -> CInt {
    let number = raw
    discard self
    return number
  }

  /// Opens a file; close-on-exec is always set.
  ///
  /// The corresponding C function is `open`.
  public static func open(_ path: String, _ flags: CInt) throws(Errno) -> FileDescriptor {
    let raw = unsafe Glibc.open(path, flags | O_CLOEXEC)
    guard raw >= 0 else { throw .current }
    return FileDescriptor(owning: raw)
  }

  /// A second descriptor for the same open file.
  ///
  /// The corresponding C function is `dup`.
  public borrowing func duplicate() throws(Errno) -> FileDescriptor {
    let copy = fcntl(raw, F_DUPFD_CLOEXEC, 0)
    guard copy >= 0 else { throw .current }
    return FileDescriptor(owning: copy)
  }
}
