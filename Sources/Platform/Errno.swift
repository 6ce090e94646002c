internal import CLinux
public import Glibc

/// An error number of the kernel, as left behind by a failed system call.
public struct Errno: Error, Hashable, Sendable, BitwiseCopyable, RawRepresentable {
  /// The number, such as 1 for EPERM.
  public let rawValue: CInt

  /// Takes a number as the kernel counts it.
  @inline(always) public init(rawValue: CInt) { self.rawValue = rawValue }

  /// What the calling thread's last failed system call left behind.
  @inline(always) public static var current: Errno { Errno(rawValue: errno) }

  /// Whether a read or write failed for its packet's sake, and the next may succeed: EINVAL, EMSGSIZE.
  @inline(always) public var isOfOnePacket: Bool { rawValue == EINVAL || rawValue == EMSGSIZE }

  /// The symbol, such as "EPERM"; the number where there is none.
  public var name: String {
    guard let symbol = unsafe clinux_errno_name(rawValue) else { return "errno \(rawValue)" }
    return unsafe String(cString: symbol)
  }

  /// The system's sentence, such as "Operation not permitted".
  ///
  /// The corresponding C function is `strerror`.
  public var text: String {
    guard let sentence = unsafe clinux_errno_text(rawValue) else { return "unknown error" }
    return unsafe String(cString: sentence)
  }
}

extension Errno: CustomStringConvertible {
  /// Sentence and symbol: "Operation not permitted (EPERM)".
  public var description: String { "\(text) (\(name))" }
}
