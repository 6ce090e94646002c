#if !$Embedded
import Wire

/// The look-up table of one set of backends, 2 bytes per slot; endpoints with the same backends share it.
@safe final class BackendTable: @unchecked Sendable {
  /// Sorted by locator, all of weight above 0.
  let backends: [WeightedBackend]
  let slotCount: Int
  /// For each slot the place of its backend in `backends`; written by `init` only.
  let slots: UnsafeMutablePointer<UInt16>

  /// Builds the table; some milliseconds.
  init(_ backends: [WeightedBackend], hash: PoolHash, slotCount: Int) {
    self.backends = backends
    self.slotCount = slotCount
    unsafe slots = .allocate(capacity: slotCount)
    let filled = MaglevTable.build(backends, hash: hash, slotCount: slotCount)
    for slot in 0..<slotCount { unsafe slots[slot] = filled[slot] }
  }

  /// Takes a table as it was found.
  init(_ backends: [WeightedBackend], restoring found: [UInt16]) {
    self.backends = backends
    slotCount = found.count
    unsafe slots = .allocate(capacity: max(found.count, 1))
    for slot in found.indices { unsafe slots[slot] = found[slot] }
  }

  deinit { unsafe slots.deallocate() }

  /// The place of a slot's backend in `backends`; nil when there is none.
  func place(ofSlot slot: Int) -> Int? {
    precondition(slot >= 0 && slot < slotCount, "no such slot")
    return backends.isEmpty ? nil : unsafe Int(slots[slot])
  }
}
#endif
