internal import Glibc

/// The kernel's network settings, which are files below /proc/sys/net and belong to a network namespace.
///
/// A path is written as a file's, `net/ipv4/ip_forward`, since a device's name may contain dots. The calling
/// thread's namespace is meant; `namespace.run { … }` reaches another one.
public enum Sysctl {
  /// The value without the closing newline.
  ///
  /// The corresponding command is `sysctl -n PATH`.
  public static func read(_ path: String) throws(PlatformError) -> String {
    let file = try open(path, O_RDONLY, "read")
    var text = ""
    var failure: Errno?
    unsafe withUnsafeTemporaryAllocation(byteCount: Limits.sysctlBytes, alignment: 1) { buffer in
      let count = unsafe Glibc.read(file.raw, buffer.baseAddress, buffer.count)
      if count < 0 { failure = .current }
      text = unsafe String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
    }
    if let failure { throw PlatformError("read", "sysctl \(path)", failure) }
    while text.last == "\n" { text.removeLast() }
    return text
  }

  /// Sets a value.
  ///
  /// The corresponding command is `sysctl -w PATH=VALUE`.
  public static func write(_ value: String, to path: String) throws(PlatformError) {
    let file = try open(path, O_WRONLY, "set")
    var text = value
    let count = text.withUTF8 { bytes in unsafe Glibc.write(file.raw, bytes.baseAddress, bytes.count) }
    guard count == value.utf8.count else {
      throw PlatformError("set", "sysctl \(path) to \(value)", .current)
    }
  }

  private static func open(_ path: String, _ flags: CInt, _ attempt: String) throws(PlatformError)
    -> FileDescriptor
  {
    let steps = path.split(separator: "/", omittingEmptySubsequences: false)
    guard steps.first == "net", steps.count > 2, !steps.contains(".."), !steps.contains("") else {
      throw PlatformError(
        attempt, "sysctl \(path)", Errno(rawValue: EINVAL), reason: .invalid,
        advice: "Write a path such as net/ipv4/ip_forward.")
    }
    do throws(Errno) {
      return try FileDescriptor.open("/proc/sys/\(path)", flags)
    } catch {
      throw PlatformError(
        attempt, "sysctl \(path)", error,
        advice: error.rawValue == ENOENT
          ? "This kernel or namespace has no such setting; check the device's name." : nil)
    }
  }
}
