/// A key for the datagrams between the nodes of one data centre: 128 bits, drawn at random.
public struct DatagramKey: Codable, Hashable, Sendable {
  /// Travels with each datagram, so that the receiver knows which key to check it with.
  public var id: UInt32
  /// The first eight octets, least significant first.
  public var low: UInt64
  /// The last eight octets.
  public var high: UInt64

  /// Joins the parts.
  public init(id: UInt32, low: UInt64, high: UInt64) {
    self.id = id
    self.low = low
    self.high = high
  }
}

/// The keys that are valid now: the one to seal with, the one before it, and the one that comes next.
///
/// A key is known everywhere one rotation before anybody seals with it, and is accepted one rotation after the
/// last did; so no datagram is refused only because two nodes hear of a rotation at different times.
public struct KeyRing: Codable, Hashable, Sendable {
  /// In the order of their numbers; at most three.
  public private(set) var keys: [DatagramKey] = []
  /// The number of the key to seal with; 0 as long as there is none.
  public private(set) var currentID: UInt32 = 0

  /// No keys yet.
  public init() {}

  /// Puts a ring together from what a manager sent; nil if the current key is not in it, or there are more than
  /// three, or they are not in order.
  public init?(keys: [DatagramKey], currentID: UInt32) {
    let isOrdered = zip(keys, keys.dropFirst()).allSatisfy { $0.id < $1.id }
    guard isOrdered, keys.count <= 3 else { return nil }
    guard keys.isEmpty ? currentID == 0 : keys.contains(where: { $0.id == currentID }) else { return nil }
    self.keys = keys
    self.currentID = currentID
  }

  /// The key to seal with.
  public var current: DatagramKey? { self[currentID] }

  /// The valid key of that number.
  public subscript(id: UInt32) -> DatagramKey? { keys.first { $0.id == id } }

  /// Goes on by one: the next key becomes current, the one before the current goes, and a new one is next.
  public mutating func rotate(low: UInt64, high: UInt64) {
    let new = DatagramKey(id: (keys.last?.id ?? 0) &+ 1, low: low, high: high)
    guard let last = keys.last else {
      keys = [new]
      currentID = new.id
      return
    }
    keys.removeAll { $0.id < currentID }
    currentID = last.id
    keys.append(new)
  }
}
