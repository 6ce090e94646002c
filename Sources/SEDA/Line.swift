/// First in, first out; constant time on average, and what has left is released at once.
struct Line<Element: Sendable>: Sendable {
  private var places: [Element?] = []
  private var head = 0

  var count: Int { places.count - head }
  var isEmpty: Bool { head == places.count }
  var first: Element? { isEmpty ? nil : places[head] }

  mutating func append(_ element: Element) {
    places.append(element)
  }

  mutating func popFirst() -> Element? {
    guard !isEmpty else { return nil }
    let element = places[head].take()
    head += 1
    if head * 2 >= places.count {
      places.removeFirst(head)
      head = 0
    }
    return element
  }
}
