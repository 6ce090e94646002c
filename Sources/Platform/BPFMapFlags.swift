/// What a map is created with (`BPF_F_…`).
public struct BPFMapFlags: OptionSet, Hashable, Sendable {
  /// The flags as the kernel counts them.
  public let rawValue: UInt32

  /// Takes flags as the kernel counts them.
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// Memory for an entry is taken when it is added (BPF_F_NO_PREALLOC).
  public static let noPreallocation = BPFMapFlags(rawValue: 1 << 0)
  /// Programs only read it (BPF_F_RDONLY_PROG).
  public static let programsRead = BPFMapFlags(rawValue: 1 << 7)
  /// Its values can be mapped into memory (BPF_F_MMAPABLE); arrays only.
  public static let mappable = BPFMapFlags(rawValue: 1 << 10)
  /// An inner array may have another number of entries than its outer map was made with (BPF_F_INNER_MAP).
  public static let innerMap = BPFMapFlags(rawValue: 1 << 12)
}
