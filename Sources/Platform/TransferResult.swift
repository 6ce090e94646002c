/// What became of one non-blocking read or write: a value, since "nothing there" is no error.
@frozen public enum TransferResult: Sendable, BitwiseCopyable {
  /// This many bytes were moved.
  case bytes(Int)
  /// Nothing to read, or no room to write; wait for the descriptor.
  case wouldBlock
  /// The kernel refused.
  case failed(Errno)
}
