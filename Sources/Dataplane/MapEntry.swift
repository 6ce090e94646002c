#if !$Embedded
public import Wire

/// An endpoint's place in a VIP map in memory.
public struct MapEntry: EndpointEntry, Sendable {
  /// The cell.
  @usableFromInline let index: Int
  /// Names the endpoint as long as it exists.
  public let number: UInt32
  /// Milliseconds.
  public let idleTimeout: UInt32
  /// Of the look-up table.
  public let slotCount: UInt32
  /// What chooses the slot.
  public let fields: HashedFields
  /// Whether some slot may be moving.
  public let isMoving: Bool

  /// Reads a cell.
  @inlinable @inline(__always) init(_ cell: MapCell, index: Int) {
    self.index = index
    number = unsafe cell.number
    idleTimeout = unsafe cell.idleTimeout
    slotCount = unsafe cell.slotCount
    fields = unsafe cell.fields
    isMoving = unsafe cell.movementPlaces != nil
  }
}
#endif
