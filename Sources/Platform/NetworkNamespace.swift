internal import CLinux
internal import Glibc

/// A network namespace, held open so that it cannot vanish while it is used.
///
/// A namespace belongs to a thread, so work inside one is done on a short-lived thread of its own, and the
/// caller's thread never leaves its namespace. Descriptors that were opened inside (a TUN queue, a socket,
/// netlink) keep their namespace and may be used from anywhere.
public struct NetworkNamespace: ~Copyable, Sendable {
  /// Where `ip netns` keeps its names.
  public static let directory = "/run/netns"

  /// For messages: the name, or how the namespace was found.
  public let name: String
  private let descriptor: FileDescriptor

  /// For netlink messages that name a namespace; valid as long as the owner lives.
  var raw: CInt { descriptor.raw }

  /// Opens a namespace by the name `ip netns list` shows.
  public static func open(named name: String) throws(PlatformError) -> NetworkNamespace {
    try check(name)
    return try open("\(directory)/\(name)", name, reason: .namespaceMissing)
  }

  /// Opens the namespace a process lives in.
  ///
  /// The corresponding path is `/proc/PID/ns/net`.
  public static func open(ofProcess id: Int32) throws(PlatformError) -> NetworkNamespace {
    try open("/proc/\(id)/ns/net", "of process \(id)", reason: .namespaceMissing)
  }

  /// Opens the namespace the calling thread is in.
  public static func current() throws(PlatformError) -> NetworkNamespace {
    try open("/proc/thread-self/ns/net", "current", reason: nil)
  }

  /// Whether `ip netns list` would show the name.
  public static func exists(_ name: String) -> Bool {
    guard isName(name) else { return false }
    return unsafe access("\(directory)/\(name)", F_OK) == 0
  }

  /// Creates a namespace and its name.
  ///
  /// The corresponding command is `ip netns add NAME`.
  public static func create(named name: String) throws(PlatformError) -> NetworkNamespace {
    try check(name)
    let path = "\(directory)/\(name)"
    unsafe mkdir(directory, 0o755)
    guard unsafe clinux_share_mount(directory) == 0 else {
      throw PlatformError("share the mount of", directory, .current)
    }
    let anchor = unsafe Glibc.open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0)
    guard anchor >= 0 else {
      let error = Errno.current
      throw PlatformError(
        "create namespace", name, error, reason: error.rawValue == EEXIST ? .namespaceTaken : nil)
    }
    _ = Glibc.close(anchor)
    var failure: Errno?
    try ErrandThread.run("create namespace", name) {
      guard clinux_unshare_network() == 0, unsafe clinux_pin_network_namespace(path) == 0 else {
        failure = .current
        return
      }
    }
    if let failure {
      unsafe unlink(path)
      throw PlatformError("create namespace", name, failure)
    }
    return try open(named: name)
  }

  /// Removes a name; the namespace ends with its last user.
  ///
  /// The corresponding command is `ip netns delete NAME`.
  public static func remove(named name: String) throws(PlatformError) {
    try check(name)
    let path = "\(directory)/\(name)"
    // EINVAL: a name that was never mounted, left by a creation that was interrupted.
    if unsafe clinux_unmount(path) != 0, errno != EINVAL {
      let error = Errno.current
      throw PlatformError(
        "remove namespace", name, error, reason: error.rawValue == ENOENT ? .namespaceMissing : nil)
    }
    guard unsafe unlink(path) == 0 else { throw PlatformError("remove namespace", name, .current) }
  }

  /// Does work inside the namespace, on a thread of its own, and waits for it.
  ///
  /// The corresponding command is `ip netns exec NAME`.
  public borrowing func run<Value: ~Copyable>(
    _ body: () throws(PlatformError) -> Value
  ) throws(PlatformError) -> Value {
    var outcome: Result<Value, PlatformError>?
    let raw = descriptor.raw
    let label = name
    try ErrandThread.run("enter namespace", label) {
      guard clinux_enter_network_namespace(raw) == 0 else {
        let error = Errno.current
        let reason: PlatformError.Reason? = error.rawValue == EINVAL ? .namespaceMissing : nil
        outcome = .failure(PlatformError("enter namespace", label, error, reason: reason))
        return
      }
      do throws(PlatformError) {
        outcome = .success(try body())
      } catch {
        outcome = .failure(error)
      }
    }
    guard let outcome else { preconditionFailure("the errand has ended") }
    return try outcome.get()
  }

  private static func open(
    _ path: String, _ name: String, reason: PlatformError.Reason?
  ) throws(PlatformError) -> NetworkNamespace {
    do throws(Errno) {
      return NetworkNamespace(name: name, descriptor: try FileDescriptor.open(path, O_RDONLY))
    } catch {
      let missing = error.rawValue == ENOENT || error.rawValue == ESRCH
      throw PlatformError("open namespace", name, error, reason: missing ? reason : nil)
    }
  }

  private static func isName(_ name: String) -> Bool {
    !name.isEmpty && name.utf8.count <= Limits.namespaceNameBytes && name != "." && name != ".."
      && !name.utf8.contains(UInt8(ascii: "/")) && !name.utf8.contains(0)
  }

  private static func check(_ name: String) throws(PlatformError) {
    guard isName(name) else {
      throw PlatformError(
        "use namespace", "\"\(name)\"", Errno(rawValue: EINVAL), reason: .invalid,
        advice: "A name is a file name: not empty, at most 255 bytes, without a slash.")
    }
  }
}
