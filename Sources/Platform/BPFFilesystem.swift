internal import CLinux
internal import Glibc

/// A directory of a bpffs, where names keep maps, programs and links alive while no process has them open.
///
/// A bpffs lives as long as it is mounted, and `ip netns exec` gives every command mounts of its own, with a
/// fresh /sys, which vanish with the command. So the directory is looked up, and the bpffs mounted, among the
/// mounts of process 1, and held open: its paths lead through the descriptor and work whatever the process sees.
/// Where those cannot be entered, the process's own mounts serve.
public struct BPFFilesystem: ~Copyable, Sendable {
  /// Where systems mount a bpffs.
  public static let usualMountPoint = "/sys/fs/bpf"

  /// The directory as it was asked for, for messages.
  public let directory: String
  /// Whether names outlive this process for certain: the bpffs belongs to the mounts of process 1, or was there
  /// before.
  let isLasting: Bool
  private let descriptor: FileDescriptor

  /// One sentence when names may vanish with this process.
  public var warning: String? {
    isLasting
      ? nil
      : "\(directory) may vanish with this process, and what it keeps in the kernel with it: mount a bpffs there before."
  }

  /// Opens a directory of a bpffs that is mounted, and makes it if needed.
  ///
  /// An error has reason `missing` when no bpffs is mounted there.
  public static func open(_ directory: String) throws(PlatformError) -> BPFFilesystem {
    try open(directory, mountPoint: nil, mountsOf: 1)
  }

  /// Opens a directory of the bpffs mounted at a directory above it, or at itself, which is mounted if needed.
  ///
  /// The corresponding command is `mount -t bpf bpf MOUNTPOINT`. The mount is for its owner alone, and stays.
  public static func open(_ directory: String, mountingAt mountPoint: String) throws(PlatformError)
    -> BPFFilesystem
  {
    guard directory == mountPoint || directory.hasPrefix(mountPoint + "/") else {
      throw PlatformError(
        "use", directory, Errno(rawValue: EINVAL), reason: .invalid,
        advice: "It is to lie at or below the mount point \(mountPoint).")
    }
    return try open(directory, mountPoint: mountPoint, mountsOf: 1)
  }

  /// The same among the mounts of any process.
  static func open(
    _ directory: String, mountPoint: String?, mountsOf process: pid_t
  ) throws(PlatformError) -> BPFFilesystem {
    guard directory.hasPrefix("/"), !directory.split(separator: "/").contains("..") else {
      throw PlatformError(
        "use", "directory \(directory)", Errno(rawValue: EINVAL), reason: .invalid,
        advice: "Write an absolute path.")
    }
    var outcome: Result<FileDescriptor, PlatformError>?
    var isLasting = false
    try ErrandThread.run("open", directory) {
      isLasting = entersMounts(of: process)
      do throws(PlatformError) {
        let isNew = if let mountPoint { try mount(mountPoint) } else { false }
        if !isNew { isLasting = true }
        outcome = .success(try make(directory))
      } catch {
        outcome = .failure(error)
      }
    }
    guard let outcome else { preconditionFailure("the errand has ended") }
    let lasting = isLasting
    return BPFFilesystem(directory: directory, isLasting: lasting, descriptor: try outcome.get())
  }

  private static func entersMounts(of process: pid_t) -> Bool {
    guard let mounts = try? FileDescriptor.open("/proc/\(process)/ns/mnt", O_RDONLY) else { return false }
    return clinux_enter_mount_namespace(mounts.raw) == 0
  }

  /// Mounts a bpffs unless one is there; whether there was none.
  private static func mount(_ mountPoint: String) throws(PlatformError) -> Bool {
    try makeDirectories(mountPoint)
    // Agents that start at once wait for each other here, so that none mounts over another's.
    let gate: FileDescriptor
    do throws(Errno) {
      gate = try FileDescriptor.open(mountPoint, O_RDONLY | O_DIRECTORY)
    } catch {
      throw PlatformError("open", mountPoint, error)
    }
    _ = flock(gate.raw, LOCK_EX)
    guard try !isBPF(mountPoint) else { return false }
    guard unsafe clinux_mount_bpf(mountPoint) == 0 else {
      throw PlatformError(
        "mount a bpffs at", mountPoint, .current,
        advice: "Run as root, or mount it yourself: `mount -t bpf bpf \(mountPoint)`.")
    }
    return true
  }

  private static func isBPF(_ path: String) throws(PlatformError) -> Bool {
    do throws(Errno) {
      let file = try FileDescriptor.open(path, O_RDONLY | O_DIRECTORY)
      return clinux_is_bpf_filesystem(file.raw) == 1
    } catch {
      throw PlatformError("open", path, error)
    }
  }

  private static func makeDirectories(_ path: String) throws(PlatformError) {
    var prefix = ""
    for step in path.split(separator: "/") {
      prefix += "/" + step
      guard unsafe mkdir(prefix, 0o755) != 0, errno != EEXIST else { continue }
      let error = Errno.current
      guard unsafe access(prefix, F_OK) != 0 else { continue }
      throw PlatformError("make directory", prefix, error)
    }
  }

  /// Makes the last directories of the path, where those above lie on a bpffs, and opens it.
  private static func make(_ directory: String) throws(PlatformError) -> FileDescriptor {
    var present = directory[...]
    while unsafe access(String(present), F_OK) != 0, let slash = present.lastIndex(of: "/"), present.count > 1
    {
      present = slash == present.startIndex ? "/" : present[..<slash]
    }
    guard try isBPF(String(present)) else {
      throw PlatformError(
        "use", directory, Errno(rawValue: ENOENT), reason: .missing,
        advice: "No bpffs is mounted there; mount one: `mount -t bpf bpf \(usualMountPoint)`, "
          + "or name a directory where Ananta may.")
    }
    try makeDirectories(directory)
    do throws(Errno) {
      return try FileDescriptor.open(directory, O_RDONLY | O_DIRECTORY)
    } catch {
      throw PlatformError("open", directory, error)
    }
  }

  /// The path by which this process reaches a name, for `pin` and `open`; valid as long as the owner lives.
  ///
  /// A name has 1 to 255 bytes, no slash and no dot, which the kernel keeps for itself.
  public borrowing func path(_ name: String) throws(PlatformError) -> String {
    guard (1...255).contains(name.utf8.count), !name.utf8.contains(UInt8(ascii: "/")),
      !name.utf8.contains(UInt8(ascii: ".")), !name.utf8.contains(0)
    else {
      throw PlatformError(
        "use", "the name \"\(name)\" in \(directory)", Errno(rawValue: EINVAL), reason: .invalid,
        advice: "A name has 1 to 255 bytes, no slash and no dot.")
    }
    return "/proc/self/fd/\(descriptor.raw)/\(name)"
  }

  /// The names there are, sorted, without those that have a dot, which are the kernel's own.
  public borrowing func names() throws(PlatformError) -> [String] {
    guard let stream = unsafe opendir("/proc/self/fd/\(descriptor.raw)/.") else {
      throw PlatformError("list", directory, .current)
    }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if !name.utf8.contains(UInt8(ascii: ".")) { names.append(name) }
    }
    return names.sorted()
  }

  /// Removes a name; whether there was one.
  ///
  /// What it named ends when nothing else keeps it.
  @discardableResult public borrowing func remove(_ name: String) throws(PlatformError) -> Bool {
    guard unsafe unlink(try path(name)) != 0 else { return true }
    let error = Errno.current
    guard error.rawValue == ENOENT else { throw PlatformError("remove", "\(directory)/\(name)", error) }
    return false
  }
}
