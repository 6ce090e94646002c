/// What is to happen, by time; what is due at the same time happens in the order in which it was put down.
struct Agenda<Event: Sendable>: Sendable {
  private struct Item: Sendable {
    var time: Moment
    var order: Int
    var event: Event

    func isBefore(_ other: Item) -> Bool {
      time == other.time ? order < other.order : time < other.time
    }
  }

  private var heap: [Item] = []
  private var count = 0

  mutating func add(_ event: Event, at time: Moment) {
    count += 1
    heap.append(Item(time: time, order: count, event: event))
    var child = heap.count - 1
    while child > 0, heap[child].isBefore(heap[(child - 1) / 2]) {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  mutating func next() -> (time: Moment, event: Event)? {
    guard let first = heap.first else { return nil }
    heap.swapAt(0, heap.count - 1)
    heap.removeLast()
    var parent = 0
    while true {
      var least = 2 * parent + 1
      guard least < heap.count else { break }
      if least + 1 < heap.count, heap[least + 1].isBefore(heap[least]) { least += 1 }
      guard heap[least].isBefore(heap[parent]) else { break }
      heap.swapAt(parent, least)
      parent = least
    }
    return (first.time, first.event)
  }
}
