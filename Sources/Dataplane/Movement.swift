#if !$Embedded
import Wire

/// How slots moved at one time: shared by all slots with the same history.
public struct MovementState: Hashable, BitwiseCopyable {
  /// The backend before the first change; of no meaning without `hasBase`.
  @usableFromInline var base: Target
  @usableFromInline var hasBase: Bool
  /// When the base was set, milliseconds.
  @usableFromInline var first: UInt32
  /// When the current backend was set, milliseconds.
  @usableFromInline var last: UInt32

  /// How it is at a time; nil once settled.
  ///
  /// The model calls this `settle`.
  @inlinable @inline(__always) func phase(now: UInt32, idleTimeout: UInt32) -> SlotMovement? {
    // Signed, since a worker's clock may be read shortly before the change was made.
    let sinceLast = Int32(bitPattern: now &- last)
    guard sinceLast < Int32(bitPattern: idleTimeout &+ 3 &* Limits.skewMilliseconds) else { return nil }
    guard hasBase, !isBaseGivenUp(now: now, idleTimeout: idleTimeout) else { return .recording }
    return .base(base)
  }

  /// Whether every live connection that is older than the first change is recorded by now.
  @inlinable @inline(__always) func isBaseGivenUp(now: UInt32, idleTimeout: UInt32) -> Bool {
    Int32(bitPattern: now &- first) >= Int32(bitPattern: idleTimeout &+ Limits.skewMilliseconds)
  }
}

/// The moving part of an endpoint's slots: 2 bytes per slot, and only while something moves.
@safe final class Movement: @unchecked Sendable {
  let slotCount: Int
  /// For each slot its place in `states`; place 0 stands for settled.
  let places: UnsafeMutablePointer<UInt16>
  /// The few different histories of the slots.
  let states: UnsafeMutablePointer<MovementState>
  let stateCount: Int
  /// The last change of any slot, milliseconds.
  let latest: UInt32

  private init(places: [UInt16], states: [MovementState], latest: UInt32) {
    slotCount = places.count
    stateCount = states.count
    self.latest = latest
    unsafe self.places = .allocate(capacity: places.count)
    unsafe self.states = .allocate(capacity: states.count)
    for slot in places.indices { unsafe self.places[slot] = places[slot] }
    for place in states.indices { unsafe self.states[place] = states[place] }
  }

  deinit {
    unsafe places.deallocate()
    unsafe states.deallocate()
  }

  /// What becomes of the slots when an endpoint's table changes at a time; nil when nothing moves.
  convenience init?(
    from old: EndpointState, to table: BackendTable, targets: [Target], now: UInt32
  ) {
    guard old.table.slotCount == table.slotCount else { return nil }
    let idleTimeout = old.configuration.idleTimeout
    var places = [UInt16](repeating: 0, count: table.slotCount)
    let none = Target(locator: .any, row: 0, generation: 0)
    var states = [MovementState(base: none, hasBase: false, first: 0, last: 0)]
    var known: [MovementState: UInt16] = [:]
    for slot in places.indices {
      let before = old.target(ofSlot: slot)
      let after = table.place(ofSlot: slot).map { targets[$0] }
      var state = old.movement?.state(ofSlot: slot)
      if let moving = state, moving.phase(now: now, idleTimeout: idleTimeout) == nil { state = nil }
      if before?.locator != after?.locator {
        state = Self.changed(state, from: before, now: now, idleTimeout: idleTimeout)
      }
      guard let state else { continue }
      if let place = known[state] {
        places[slot] = place
      } else {
        let place = UInt16(states.count)
        known[state] = place
        states.append(state)
        places[slot] = place
      }
    }
    guard states.count > 1 else { return nil }
    let latest = states.dropFirst().reduce(states[1].last) { latest, state in
      Int32(bitPattern: state.last &- latest) > 0 ? state.last : latest
    }
    self.init(places: places, states: states, latest: latest)
  }

  /// A further change keeps the base, unless it was given up.
  ///
  /// A slot that nobody served has no older connections, and so no base, as long as it would have had one: while a
  /// service's backends come up one by one, connections that a MUX has not seen are rather young than old.
  private static func changed(
    _ state: MovementState?, from before: Target?, now: UInt32, idleTimeout: UInt32
  ) -> MovementState {
    if var state, !state.isBaseGivenUp(now: now, idleTimeout: idleTimeout) {
      state.last = now
      return state
    }
    let none = Target(locator: .any, row: 0, generation: 0)
    return MovementState(base: before ?? none, hasBase: before != nil, first: now, last: now)
  }

  /// The history of a slot; nil when it is settled.
  func state(ofSlot slot: Int) -> MovementState? {
    precondition(slot >= 0 && slot < slotCount, "no such slot")
    let place = unsafe Int(places[slot])
    return place == 0 ? nil : unsafe states[place]
  }

  /// The backends that older connections may still be on.
  var bases: [Target] {
    (1..<stateCount).map { place in unsafe states[place] }.filter(\.hasBase).map(\.base)
  }

  /// Whether every slot has settled.
  func isSettled(now: UInt32, idleTimeout: UInt32) -> Bool {
    Int32(bitPattern: now &- latest) >= Int32(bitPattern: idleTimeout &+ 3 &* Limits.skewMilliseconds)
  }
}
#endif
