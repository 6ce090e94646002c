internal import CBPF
internal import Glibc

/// An XDP program on a device, through a link of the kernel (Linux 5.9).
///
/// The program runs as long as a descriptor or a pin of the link exists, so that an unpinned one ends with its
/// owner, and a pinned one survives it.
public struct XDPLink: ~Copyable, Sendable {
  /// What the kernel says of a link.
  public struct Info: Hashable, Sendable {
    /// The kernel's number for the link.
    public let id: UInt32
    /// The kernel's number for the program that runs.
    public let programID: UInt32
    /// The device's index in its namespace; nil when the device is gone, or the link was detached.
    public let device: Int32?
  }

  private let descriptor: FileDescriptor

  /// XDP_FLAGS_DRV_MODE: in its common code, the generic mode, the kernel would drop super-packets.
  private static var driverMode: UInt32 { 4 }

  /// Lets a program run in the driver of a device of the calling thread's namespace.
  ///
  /// A device whose driver knows no XDP refuses with reason `unsupported`; a device that has
  /// another program refuses with reason `deviceTaken`. The corresponding command is `ip link set DEVICE xdpdrv`.
  public static func attach(
    _ program: borrowing BPFProgram, device: Int32
  ) throws(PlatformError) -> XDPLink {
    let raw = program.descriptor.raw
    switch BPFLibrary.call({ cbpf_xdp_link(raw, device, Self.driverMode) }) {
    case .success(let link): return XDPLink(descriptor: FileDescriptor(owning: link))
    case .failure(let error):
      let object = "program \(program.name) to device number \(device)"
      switch error.rawValue {
      case EBUSY, EEXIST:
        throw PlatformError(
          "attach", object, error, reason: .deviceTaken,
          advice: "Another XDP program is on the device; remove it with `ip link set dev DEVICE xdp off`.")
      case EOPNOTSUPP:
        throw PlatformError(
          "attach", object, error, advice: "The device's driver has no XDP; use tc.")
      default: throw PlatformError("attach", object, error)
      }
    }
  }

  /// Opens a link by the name it has below a bpffs; nil when there is none of that name.
  public static func open(pinned path: String) throws(PlatformError) -> XDPLink? {
    guard let descriptor = try BPFPin.open(path, .link) else { return nil }
    let link = XDPLink(descriptor: descriptor)
    var facts = cbpf_link()
    try BPFLibrary.check("describe", "the link at \(path)") {
      unsafe cbpf_link_info(link.descriptor.raw, &facts)
    }
    guard facts.type == 6 else {
      throw PlatformError(
        "use", "the link at \(path)", Errno(rawValue: EINVAL), reason: .invalid,
        advice: "It is no XDP link; remove that file, or choose another directory.")
    }
    return link
  }

  /// What the kernel says of the link.
  ///
  /// The corresponding command is `bpftool link show`.
  public borrowing func info() throws(PlatformError) -> Info {
    var facts = cbpf_link()
    try BPFLibrary.check("describe", "an XDP link") { unsafe cbpf_link_info(descriptor.raw, &facts) }
    return Info(
      id: facts.id, programID: facts.program_id, device: facts.ifindex == 0 ? nil : Int32(facts.ifindex))
  }

  /// Lets another program run in the place of the present one; every packet meets one of the two.
  public borrowing func update(to program: borrowing BPFProgram) throws(PlatformError) {
    let raw = program.descriptor.raw
    try BPFLibrary.check("change an XDP link to", "program \(program.name)") {
      cbpf_link_update(descriptor.raw, raw)
    }
  }

  /// Gives the link a name below a bpffs, by which it outlives this process.
  ///
  /// A name that is taken is an error, unless `replacing`: then it passes to this link in one step.
  public borrowing func pin(at path: String, replacing: Bool = false) throws(PlatformError) {
    try BPFPin.pin(descriptor.raw, at: path, replacing: replacing, "an XDP link")
  }

  /// Takes the program from the device now, pins or not.
  public borrowing func detach() throws(PlatformError) {
    try BPFLibrary.check("detach", "an XDP link") { bpf_link_detach(descriptor.raw) }
  }
}
