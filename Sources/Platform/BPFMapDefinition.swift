/// What a map is made of.
public struct BPFMapDefinition: Hashable, Sendable {
  /// What two maps have in common that can stand in each other's place in a map of maps.
  public struct Shape: Hashable, Sendable {
    /// The kind of map.
    public let type: BPFMapType
    /// Bytes of a key.
    public let keySize: Int
    /// Bytes of a value; of one CPU's value in a per-CPU map.
    public let valueSize: Int
    /// The most entries it holds.
    public let maxEntries: Int
    /// How it is created.
    public let flags: BPFMapFlags

    /// Describes a map without its name.
    public init(
      _ type: BPFMapType, keySize: Int, valueSize: Int, maxEntries: Int, flags: BPFMapFlags = []
    ) {
      self.type = type
      self.keySize = keySize
      self.valueSize = valueSize
      self.maxEntries = maxEntries
      self.flags = flags
    }
  }

  /// The name programs know it by; the kernel shows its first 15 bytes.
  public let name: String
  /// What it is made of.
  public let shape: Shape
  /// For a map of maps: what its values are made of.
  public let inner: Shape?

  /// Describes a map.
  ///
  /// An inner shape belongs to a map of maps and to no other.
  public init(_ name: String, _ shape: Shape, inner: Shape? = nil) {
    precondition(shape.type.isMapOfMaps == (inner != nil), "an inner shape for a map of maps")
    self.name = name
    self.shape = shape
    self.inner = inner
  }

  /// Describes a map by its parts.
  public init(
    _ name: String, _ type: BPFMapType, keySize: Int, valueSize: Int, maxEntries: Int,
    flags: BPFMapFlags = [], inner: Shape? = nil
  ) {
    self.init(
      name, Shape(type, keySize: keySize, valueSize: valueSize, maxEntries: maxEntries, flags: flags),
      inner: inner)
  }
}

extension BPFMapDefinition.Shape: CustomStringConvertible {
  /// Kind and sizes.
  public var description: String {
    "\(type), keys of \(keySize) bytes, values of \(valueSize) bytes, \(maxEntries) entries, flags \(flags.rawValue)"
  }
}
