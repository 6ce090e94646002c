import Wire

/// Address → number, by open addressing; at least three of four places are empty, so a search is short.
///
/// Address 0.0.0.0 marks an empty place and is never found.
struct AddressTable: ~Copyable {
  struct Slot: BitwiseCopyable {
    var address: IPv4Address
    var number: UInt32
  }
  private var slots: Table<Slot>

  /// Makes room for `count` addresses.
  init(count: Int) {
    slots = Table(capacity: max(8, count * 4), repeating: Slot(address: .any, number: 0))
  }

  @inline(always) private func start(_ address: IPv4Address) -> Int {
    Int(truncatingIfNeeded: (address.raw &* 0x9e37_79b9) &>> 7)
  }

  /// Adds an address, or gives it another number.
  mutating func insert(_ address: IPv4Address, _ number: UInt32) {
    guard address != .any else { return }
    var at = start(address)
    while slots[at].address != .any, slots[at].address != address { at &+= 1 }
    slots[at] = Slot(address: address, number: number)
  }

  /// The number of an address, or -1.
  @inline(always) func number(of address: IPv4Address) -> Int {
    var at = start(address)
    while true {
      let slot = slots[at]
      if slot.address == .any { return -1 }
      if slot.address == address { return Int(slot.number) }
      at &+= 1
    }
  }
}
