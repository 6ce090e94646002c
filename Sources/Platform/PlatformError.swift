internal import Glibc

/// Something the kernel refused: what was attempted, on which object, why, and what an operator can do.
public struct PlatformError: Error, Hashable, Sendable {
  /// The kind of refusal, for callers that go on differently for some.
  public enum Reason: String, Hashable, Sendable {
    /// A capability is missing.
    case privilege
    /// The kernel was built without the feature, or its module is not loaded.
    case unsupported
    /// The network namespace does not exist.
    case namespaceMissing
    /// A network namespace of that name exists already.
    case namespaceTaken
    /// `/dev/net/tun` does not exist or has no driver.
    case tunMissing
    /// The device name belongs to a device of another kind, or another process holds the device.
    case deviceTaken
    /// There is no network device of that name or index.
    case deviceMissing
    /// The object, such as a route or a sysctl, does not exist.
    case missing
    /// The object exists already.
    case exists
    /// A limit of the kernel or the process is reached: descriptors, memory, threads.
    case exhausted
    /// The kernel's verifier did not accept a program.
    case refused
    /// A value the kernel or this module does not accept.
    case invalid
    /// No route leads to the gateway or destination.
    case unreachable
    /// Anything else; the error number says what.
    case other
  }

  /// The kind of refusal.
  public let reason: Reason
  /// What was attempted, as a verb phrase: "create TUN device".
  public let attempt: String
  /// On which object: "eth0 in namespace blue-vm1".
  public let object: String
  /// The kernel's error number.
  public let errno: Errno
  /// One sentence that says what to do.
  public let advice: String

  /// Describes a refusal; reason and advice follow from the error number where they are not given.
  public init(
    _ attempt: String, _ object: String, _ errno: Errno, reason: Reason? = nil, advice: String? = nil
  ) {
    let kind = reason ?? Reason(errno)
    self.reason = kind
    self.attempt = attempt
    self.object = object
    self.errno = errno
    self.advice = advice ?? kind.advice
  }
}

extension PlatformError: CustomStringConvertible {
  /// A sentence for what failed and one for what to do.
  public var description: String { "cannot \(attempt) \(object): \(errno). \(advice)" }
}

extension PlatformError.Reason {
  /// What an error number means where nothing more is known.
  init(_ errno: Errno) {
    self =
      switch errno.rawValue {
      case EPERM, EACCES: .privilege
      // 524 is the kernel's own ENOTSUPP, which no C library knows.
      case 524, EOPNOTSUPP, ENOSYS, EPROTONOSUPPORT, EAFNOSUPPORT, ENOPROTOOPT: .unsupported
      case ENODEV, ENXIO: .deviceMissing
      case ENOENT, ESRCH, EADDRNOTAVAIL: .missing
      case EEXIST, EADDRINUSE: .exists
      case EMFILE, ENFILE, ENOMEM, ENOBUFS, EAGAIN, ENOSPC: .exhausted
      case EINVAL, ERANGE, E2BIG, ENAMETOOLONG: .invalid
      case ENETUNREACH, EHOSTUNREACH, ENETDOWN: .unreachable
      case EBUSY: .deviceTaken
      default: .other
      }
  }

  /// What an operator can do about it.
  var advice: String {
    switch self {
    case .privilege: "Run as root, or grant CAP_NET_ADMIN, CAP_NET_RAW and CAP_SYS_ADMIN."
    case .unsupported:
      "This kernel lacks the feature; load its module, or use a kernel that was built with it."
    case .namespaceMissing: "Create it with `ip netns add`, or correct the name."
    case .namespaceTaken: "Choose another name, or remove the old one with `ip netns delete`."
    case .tunMissing: "Load the module with `modprobe tun`; in a container, pass the device /dev/net/tun in."
    case .deviceTaken: "Choose another device name, or stop the process that holds the device."
    case .deviceMissing: "Check the device's name with `ip link` in the same namespace."
    case .missing: "Check that it exists in this namespace."
    case .exists: "Remove the old one first, or use it."
    case .exhausted: "Raise the limit (`ulimit -n`, memory) or stop what uses it up."
    case .refused: "Use a kernel that the release notes name, and report the program and this message."
    case .invalid: "Correct the value."
    case .unreachable: "Check that the device is up and that the gateway lies on one of its networks."
    case .other: "See `dmesg` for what the kernel says."
    }
  }
}
