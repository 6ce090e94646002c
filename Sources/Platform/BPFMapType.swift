/// The kinds of maps we use (`enum bpf_map_type`).
public enum BPFMapType: UInt32, CaseIterable, Hashable, Sendable {
  /// Any key.
  case hash = 1
  /// Keys 0 to the number of entries less one, 4 bytes each.
  case array = 2
  /// Programs for tail calls, by index.
  case programArray = 3
  /// A hash map with one value for each CPU.
  case perCPUHash = 5
  /// An array with one value for each CPU.
  case perCPUArray = 6
  /// A hash map that drops its least recently used entry when it is full.
  case lruHash = 9
  /// The same with one value for each CPU.
  case lruPerCPUHash = 10
  /// Longest prefix match.
  case lpmTrie = 11
  /// An array of maps.
  case arrayOfMaps = 12
  /// A hash map of maps.
  case hashOfMaps = 13

  /// Whether a key has one value for each CPU.
  public var isPerCPU: Bool {
    switch self {
    case .perCPUHash, .perCPUArray, .lruPerCPUHash: true
    default: false
    }
  }

  /// Whether the values are maps.
  public var isMapOfMaps: Bool { self == .arrayOfMaps || self == .hashOfMaps }
}
