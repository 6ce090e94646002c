import Wire

/// A slot of the worker's that holds a packet, or will.
struct HeldSlot: BitwiseCopyable {
  @inline(always) static var free: UInt8 { 0 }
  @inline(always) static var waiting: UInt8 { 1 }
  @inline(always) static var ready: UInt8 { 2 }

  /// The packet's remote end and ports, so that a SYN that is sent again takes the place of the one before.
  var name: UInt64 = 0
  var since: UInt32 = 0
  var machine: UInt16 = 0
  /// The next of its list, counted from 1.
  var next: UInt16 = 0
  var state: UInt8 = 0
  var proto: UInt8 = 0

  init() {}
}

/// Which slot holds whose packet; the packets themselves are the worker's.
struct HoldQueue: ~Copyable {
  var slots: Table<HeldSlot>
  private var free: UInt16 = 1
  private var firstReady: UInt16 = 0
  private var lastReady: UInt16 = 0
  private(set) var count = 0
  /// Since when the packet has been waiting that was taken last, until another packet comes.
  private var inHand: UInt32?

  init() {
    slots = Table(capacity: Limits.heldPackets, repeating: HeldSlot())
    for at in 0..<slots.count { slots[at].next = at + 1 < slots.count ? UInt16(at + 2) : 0 }
  }

  /// Forgets which packet was in hand, and says since when it was waiting.
  @inline(always) mutating func putDown() -> UInt32? {
    let since = inHand
    inHand = nil
    return since
  }

  /// The slot of the same connection's SYN, or -1.
  @inline(always) func find(_ machine: PortMachine, name: UInt64, proto: UInt8) -> Int {
    var at = Int(machine.firstHeld)
    while at != 0 {
      let slot = slots[at &- 1]
      if slot.name == name && slot.proto == proto { return at &- 1 }
      at = Int(slot.next)
    }
    return -1
  }

  /// A slot for one more packet of a VM, or -1.
  @inline(always) mutating func hold(
    _ machine: inout PortMachine, number: Int, name: UInt64, proto: UInt8, since: UInt32
  ) -> Int {
    guard free != 0, Int(machine.held) < Limits.heldPacketsPerMachine else { return -1 }
    let at = free
    var slot = slots[Int(at) &- 1]
    free = slot.next
    slot.name = name
    slot.since = since
    slot.machine = UInt16(truncatingIfNeeded: number)
    slot.next = 0
    slot.state = HeldSlot.waiting
    slot.proto = proto
    slots[Int(at) &- 1] = slot
    if machine.firstHeld == 0 {
      machine.firstHeld = at
    } else {
      slots[Int(machine.lastHeld) &- 1].next = at
    }
    machine.lastHeld = at
    machine.held &+= 1
    count &+= 1
    return Int(at) &- 1
  }

  /// Lets all packets of a VM go; nothing of it is held any more.
  @inline(always) mutating func release(_ machine: inout PortMachine) {
    var at = machine.firstHeld
    guard at != 0 else { return }
    if firstReady == 0 { firstReady = at } else { slots[Int(lastReady) &- 1].next = at }
    lastReady = machine.lastHeld
    while at != 0 {
      slots[Int(at) &- 1].state = HeldSlot.ready
      at = slots[Int(at) &- 1].next
    }
    machine.firstHeld = 0
    machine.lastHeld = 0
    machine.held = 0
  }

  /// The next packet that may go, whose slot is the next to be used.
  @inline(always) mutating func take() -> Int {
    let at = Int(firstReady)
    guard at != 0 else { return -1 }
    let slot = slots[at &- 1]
    firstReady = slot.next
    inHand = slot.since
    giveBack(at &- 1)
    return at &- 1
  }

  /// Drops the first packet of a VM; false when there is none.
  @inline(always) mutating func dropFirst(_ machine: inout PortMachine) -> Bool {
    let at = machine.firstHeld
    guard at != 0 else { return false }
    machine.firstHeld = slots[Int(at) &- 1].next
    if machine.firstHeld == 0 { machine.lastHeld = 0 }
    machine.held &-= 1
    giveBack(Int(at) &- 1)
    return true
  }

  @inline(always) private mutating func giveBack(_ at: Int) {
    slots[at].state = HeldSlot.free
    slots[at].next = free
    free = UInt16(truncatingIfNeeded: at &+ 1)
    count &-= 1
  }
}
