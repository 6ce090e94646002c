#if !$Embedded
import Wire

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

  /// Takes a movement as it was found; nil when nothing moves.
  convenience init?(restoring places: [UInt16], _ states: [MovementState]) {
    guard states.count > 1 else { return nil }
    self.init(places: places, states: states, latest: Self.latest(states))
  }

  private static func latest(_ states: [MovementState]) -> UInt32 {
    states.dropFirst().reduce(states[1].last) { latest, state in
      Int32(bitPattern: state.last &- latest) > 0 ? state.last : latest
    }
  }

  /// What becomes of the slots when an endpoint's table changes at a time; nil when nothing moves.
  convenience init?(
    from old: EndpointState, to table: BackendTable, targets: [Target], now: UInt32
  ) {
    guard old.table.slotCount == table.slotCount else { return nil }
    let idleTimeout = old.configuration.idleTimeout
    var places = [UInt16](repeating: 0, count: table.slotCount)
    var states = [MovementState(base: nil, at: 0)]
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
    self.init(places: places, states: states, latest: Self.latest(states))
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
    return MovementState(base: before, at: now)
  }

  /// The history of a slot; nil when it is settled.
  func state(ofSlot slot: Int) -> MovementState? {
    precondition(slot >= 0 && slot < slotCount, "no such slot")
    let place = unsafe Int(places[slot])
    return place == 0 ? nil : unsafe states[place]
  }

  /// The histories in the order of their places.
  var stateList: [MovementState] { (0..<stateCount).map { place in unsafe states[place] } }

  /// The backends that older connections may still be on.
  var bases: [Target] {
    (1..<stateCount).map { place in unsafe states[place] }.filter { $0.hasBase != 0 }.map(\.base)
  }

  /// Whether every slot has settled.
  func isSettled(now: UInt32, idleTimeout: UInt32) -> Bool {
    Int32(bitPattern: now &- latest) >= Int32(bitPattern: idleTimeout &+ 3 &* Limits.skewMilliseconds)
  }
}
#endif
