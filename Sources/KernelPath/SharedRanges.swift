internal import Dataplane
internal import Platform

/// A map's memory, kept as long as a table of SNAT ranges lies in it.
final class SharedRanges {
  private let memory: BPFMapMemory

  init(_ map: borrowing BPFMap) throws(PlatformError) { memory = try map.memory() }

  /// The table; there is to be one only.
  func table() -> SNATRanges { unsafe SNATRanges(at: memory.start, keptBy: self) }
}
