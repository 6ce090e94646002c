internal import CBPF
internal import Glibc

/// A map of the kernel: a table that programs and this process share.
///
/// The map lives as long as a descriptor, a program that uses it, an outer map that holds it, or a pin.
/// All calls may be made from any thread, by several at once; the kernel orders them.
public struct BPFMap: ~Copyable, Sendable {
  /// For programs that use the map, and for outer maps; valid as long as the owner lives.
  public let descriptor: FileDescriptor
  /// What it is made of.
  public let definition: BPFMapDefinition

  /// The name programs know it by.
  public var name: String { definition.name }
  /// Bytes of what one key has: of one value, or of one value for each possible CPU, each in whole 8 bytes.
  public var valueByteCount: Int {
    let shape = definition.shape
    return shape.type.isPerCPU ? (shape.valueSize + 7) / 8 * 8 * Self.possibleCPUs : shape.valueSize
  }
  /// The number of values a key of a per-CPU map has.
  public static var possibleCPUs: Int { BPFLibrary.possibleCPUs }

  private init(_ descriptor: consuming FileDescriptor, _ definition: BPFMapDefinition) {
    self.descriptor = descriptor
    self.definition = definition
  }

  /// Creates a map, empty or all zero.
  ///
  /// The corresponding command is `bpftool map create`.
  public static func create(_ definition: BPFMapDefinition) throws(PlatformError) -> BPFMap {
    guard let inner = definition.inner else { return try create(definition, inner: -1) }
    // The outer map takes the shape of its values from a map, which may go once that is done.
    let model = try create(BPFMapDefinition("inner", inner), inner: -1)
    return try create(definition, inner: model.descriptor.raw)
  }

  private static func create(_ definition: BPFMapDefinition, inner: CInt) throws(PlatformError) -> BPFMap {
    let shape = definition.shape
    guard let keySize = UInt32(exactly: shape.keySize), let valueSize = UInt32(exactly: shape.valueSize),
      let maxEntries = UInt32(exactly: shape.maxEntries)
    else {
      throw PlatformError(
        "create", "map \(definition.name) (\(shape))", Errno(rawValue: E2BIG), reason: .invalid)
    }
    let name = BPFLibrary.shortName(definition.name)
    let raw = try BPFLibrary.check("create", "map \(definition.name) (\(shape))") {
      unsafe cbpf_map_create(
        shape.type.rawValue, name, keySize, valueSize, maxEntries, shape.flags.rawValue, inner)
    }
    return BPFMap(FileDescriptor(owning: raw), definition)
  }

  /// Creates a map of constants: an array with one value, which nothing can change any more.
  static func constants(_ name: String, _ bytes: [UInt8]) throws(PlatformError) -> BPFMap {
    let map = try create(
      BPFMapDefinition(
        name, .array, keySize: 4, valueSize: bytes.count, maxEntries: 1, flags: .programsRead))
    try BPFLibrary.check("fill", "map \(name)") {
      unsafe bytes.withUnsafeBytes { value in
        unsafe withUnsafeBytes(of: UInt32(0)) { key in
          unsafe bpf_map_update_elem(map.descriptor.raw, key.baseAddress, value.baseAddress, 0)
        }
      }
    }
    try map.freeze()
    return map
  }

  /// Opens a map by the name it has below a bpffs; nil when there is none of that name.
  ///
  /// A map of another shape than the definition's, as another version of this program may have left it, is an
  /// error with reason `invalid`.
  public static func open(
    pinned path: String, _ definition: BPFMapDefinition
  ) throws(PlatformError) -> BPFMap? {
    guard let descriptor = try BPFPin.open(path, .map) else { return nil }
    return try BPFMap(descriptor, definition).checked("map \(definition.name) at \(path)")
  }

  /// Opens a map by the kernel's number for it, such as a map of maps gives.
  ///
  /// A hash map, and an array with flag `innerMap`, may have any number of entries, since a map of maps takes
  /// them in all sizes.
  public static func open(id: UInt32, _ definition: BPFMapDefinition) throws(PlatformError) -> BPFMap {
    let raw = try BPFLibrary.check("open", "map number \(id)") { bpf_map_get_fd_by_id(id) }
    let map = BPFMap(FileDescriptor(owning: raw), definition)
    let shape = definition.shape
    guard shape.type == .hash || shape.flags.contains(.innerMap) else {
      return try map.checked("map number \(id)")
    }
    let found = BPFMapDefinition(
      definition.name, shape.type, keySize: shape.keySize, valueSize: shape.valueSize,
      maxEntries: Int(try map.info().max_entries), flags: shape.flags)
    return try BPFMap(FileDescriptor(owning: map.release()), found).checked("map number \(id)")
  }

  /// The map, if it has the shape of its definition.
  private consuming func checked(_ object: String) throws(PlatformError) -> BPFMap {
    let found = try info()
    let shape = definition.shape
    guard found.type == shape.type.rawValue, Int(found.key_size) == shape.keySize,
      Int(found.value_size) == shape.valueSize, Int(found.max_entries) == shape.maxEntries,
      found.flags & ~Self.kernelFlags == shape.flags.rawValue
    else {
      throw PlatformError(
        "use", object, Errno(rawValue: EINVAL), reason: .invalid,
        advice:
          "It has type \(found.type), keys of \(found.key_size) bytes, values of \(found.value_size) bytes, "
          + "\(found.max_entries) entries and flags \(found.flags); wanted is \(shape).")
    }
    return self
  }

  /// Gives up the descriptor to one who closes it.
  consuming func release() -> CInt { descriptor.release() }

  /// Flags the kernel sets by itself: BPF_F_RDONLY and BPF_F_WRONLY of the descriptor.
  private static let kernelFlags: UInt32 = 1 << 3 | 1 << 4

  /// The kernel's number for the map, unique since the machine's start.
  public borrowing func id() throws(PlatformError) -> UInt32 { try info().id }

  private borrowing func info() throws(PlatformError) -> cbpf_map {
    var info = cbpf_map()
    try BPFLibrary.check("describe", "map \(name)") { unsafe cbpf_map_info(descriptor.raw, &info) }
    return info
  }

  /// Gives the map a name below a bpffs, by which it outlives this process.
  ///
  /// A name that is taken is an error, unless `replacing`: then it passes to this map in one step.
  public borrowing func pin(at path: String, replacing: Bool = false) throws(PlatformError) {
    try BPFPin.pin(descriptor.raw, at: path, replacing: replacing, "map \(name)")
  }

  /// Forbids this and every other process to change the map; programs still can, unless `programsRead`.
  public borrowing func freeze() throws(PlatformError) {
    try BPFLibrary.check("freeze", "map \(name)") { bpf_map_freeze(descriptor.raw) }
  }

  /// Maps the values of an array with flag `mappable` into memory, to be read and written there.
  public borrowing func memory() throws(PlatformError) -> BPFMapMemory { try BPFMapMemory(self) }
}
