internal import CNetlink
internal import Glibc
internal import Wire

/// A netlink socket: links, addresses, routes and rules of one network namespace, through libnl-3.
///
/// The socket belongs to the namespace it was opened in, and may be used from any thread, by one at a time.
/// What is asked for is idempotent: adding what is there, and removing what is not, succeeds.
@safe public struct Netlink: ~Copyable {
  let socket: OpaquePointer
  // The kernel's error number of the last refusal, 0 when there was none; written by a callback of libnl.
  private let kept: UnsafeMutablePointer<CInt>
  /// For messages: the namespace's name, or "this namespace".
  let place: String

  /// Opens a socket in the calling thread's namespace.
  public static func open() throws(PlatformError) -> Netlink { try Netlink(place: "this namespace") }

  /// Opens a socket inside a namespace.
  public static func open(in namespace: borrowing NetworkNamespace) throws(PlatformError) -> Netlink {
    let place = "namespace \(namespace.name)"
    return try namespace.run { () throws(PlatformError) in try Netlink(place: place) }
  }

  private init(place: String) throws(PlatformError) {
    guard let socket = unsafe nl_socket_alloc() else { preconditionFailure("memory for a socket") }
    unsafe self.socket = socket
    unsafe self.kept = .allocate(capacity: 1)
    unsafe self.kept.initialize(to: 0)
    self.place = place
    unsafe cnetlink_keep_errors(socket, kept)
    try check(unsafe nl_connect(socket, NETLINK_ROUTE), "open", "a netlink socket")
  }

  deinit {
    unsafe nl_socket_free(socket)
    unsafe kept.deallocate()
  }

  /// Throws when libnl reports a failure, unless the kernel's error number is among those to pass over.
  borrowing func check(
    _ code: CInt, _ attempt: @autoclosure () -> String, _ object: @autoclosure () -> String,
    passing tolerated: CInt...
  ) throws(PlatformError) {
    let error = errorNumber(code)
    guard error.rawValue != 0, !tolerated.contains(error.rawValue) else { return }
    throw PlatformError(attempt(), "\(object()) in \(place)", error)
  }

  /// What libnl's return code means as an error number: the kernel's own where one came.
  private borrowing func errorNumber(_ code: CInt) -> Errno {
    let original = unsafe kept.pointee
    unsafe kept.pointee = 0
    guard code < 0 else { return Errno(rawValue: 0) }
    return Errno(rawValue: original != 0 ? original : Self.translated(-code))
  }

  /// The error number nearest to one of libnl's own (NLE_*).
  private static func translated(_ code: CInt) -> CInt {
    switch code {
    case NLE_INTR: EINTR
    case NLE_BAD_SOCK: EBADF
    case NLE_AGAIN: EAGAIN
    case NLE_NOMEM: ENOMEM
    case NLE_EXIST: EEXIST
    case NLE_INVAL, NLE_MISSING_ATTR, NLE_PARSE_ERR, NLE_MSGSIZE: EINVAL
    case NLE_RANGE: ERANGE
    case NLE_OPNOTSUPP, NLE_PROTO_MISMATCH: EOPNOTSUPP
    case NLE_AF_NOSUPPORT: EAFNOSUPPORT
    case NLE_OBJ_NOTFOUND: ENOENT
    case NLE_NOADDR: EADDRNOTAVAIL
    case NLE_PERM, NLE_NOACCESS: EPERM
    case NLE_BUSY: EBUSY
    case NLE_NODEV: ENODEV
    default: EIO
    }
  }
}
