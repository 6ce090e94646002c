internal import Glibc

/// The limit on locked memory (RLIMIT_MEMLOCK), by which Linux before 5.11 counts what maps take.
public enum LockedMemoryLimit {
  /// Lifts the limit where the kernel counts by it; elsewhere leaves it as it is.
  ///
  /// The corresponding command is `ulimit -l unlimited`.
  public static func lift() throws(PlatformError) {
    var facts = utsname()
    guard unsafe uname(&facts) == 0 else { throw PlatformError("ask for", "the kernel's version", .current) }
    let release = unsafe withUnsafeBytes(of: facts.release) { bytes in
      unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    guard counts(release: release) else { return }
    var limit = rlimit(rlim_cur: .max, rlim_max: .max)
    guard unsafe setrlimit(CInt(__RLIMIT_MEMLOCK.rawValue), &limit) == 0 else {
      throw PlatformError(
        "lift", "the limit on locked memory", .current,
        advice: "Run as root, grant CAP_SYS_RESOURCE, or set LimitMEMLOCK=infinity.")
    }
  }

  /// Whether a kernel of that release counts maps as locked memory.
  static func counts(release: String) -> Bool {
    let numbers = release.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
    guard numbers.count == 2 else { return true }
    return (numbers[0], numbers[1]) < (5, 11)
  }
}
