internal import CBPF
internal import Glibc

/// What maps, programs and links have in common when they are pinned below a bpffs: a name that keeps them alive.
enum BPFPin {
  /// What the kernel says a descriptor is, in the name of its inode.
  enum Kind: String {
    case map
    case program
    case link

    fileprivate var inodes: Set<String> {
      switch self {
      case .map: ["anon_inode:bpf-map"]
      case .program: ["anon_inode:bpf-prog"]
      case .link: ["anon_inode:bpf_link", "anon_inode:bpf-link"]
      }
    }
  }

  /// Gives a name; one that is taken is an error, or gives way at once to the new one.
  static func pin(
    _ descriptor: CInt, at path: String, replacing: Bool, _ object: @autoclosure () -> String
  ) throws(PlatformError) {
    let advice = "Check that a bpffs is mounted there, and that the name has no dot."
    guard replacing else {
      try BPFLibrary.check("pin", "\(object()) at \(path)", advice: advice) {
        unsafe bpf_obj_pin(descriptor, path)
      }
      return
    }
    let passing = path + "_new"
    unsafe unlink(passing)
    try BPFLibrary.check("pin", "\(object()) at \(passing)", advice: advice) {
      unsafe bpf_obj_pin(descriptor, passing)
    }
    guard unsafe rename(passing, path) == 0 else {
      let error = Errno.current
      unsafe unlink(passing)
      throw PlatformError("pin", "\(object()) at \(path)", error)
    }
  }

  /// Opens what has a name; nil when nothing has.
  static func open(_ path: String, _ kind: Kind) throws(PlatformError) -> FileDescriptor? {
    switch BPFLibrary.call({ unsafe bpf_obj_get(path) }) {
    case .success(let raw):
      let descriptor = FileDescriptor(owning: raw)
      guard kind.inodes.contains(inode(raw)) else {
        throw PlatformError(
          "open", "the \(kind) pinned at \(path)", Errno(rawValue: EINVAL), reason: .invalid,
          advice: "Something else is pinned there; remove that file, or choose another directory.")
      }
      return descriptor
    case .failure(let error) where error.rawValue == ENOENT: return nil
    case .failure(let error): throw PlatformError("open", "the \(kind) pinned at \(path)", error)
    }
  }

  private static func inode(_ raw: CInt) -> String {
    unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64) { buffer in
      let count = unsafe buffer.withMemoryRebound(to: CChar.self) { chars -> Int in
        guard let room = chars.baseAddress else { return 0 }
        return unsafe readlink("/proc/self/fd/\(raw)", room, chars.count)
      }
      return unsafe String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
    }
  }
}
