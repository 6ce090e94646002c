/// Looks for an order of one register's operations: the algorithm of Wing and Gong (1993), which takes away one
/// operation after the other of those that nothing else must precede, and turns back where it cannot go on;
/// with Lowe's memory of where it has been (2017), as in Porcupine.
///
/// A read that is right may always be taken at once, since it changes nothing; so only writes have
/// alternatives.
struct LinearizabilitySearch {
  enum Verdict: Hashable {
    case linearizable
    /// The operation whose response was not passed by the order that came furthest.
    case impossible(stuck: Int)
    /// As before, when it was given up.
    case undecided(stuck: Int)
  }

  /// Where the search has been: which operations were taken, and what the register held.
  private struct Place: Hashable {
    /// All operations of the words before this one were taken.
    var firstWord: Int
    /// The words from there to the last that is not empty.
    var words: [UInt64]
    var value: UInt64?
  }

  /// An operation that was taken, and how to put it back.
  private struct Step {
    var operation: Int
    var value: UInt64?
    var firstWord: Int
    var lastWord: Int
  }

  private let operations: [RegisterOperation]
  /// The next of a ring of events in the order of time, without those of operations that were taken.
  ///
  /// 0 is its head, `2·i + 1` the invocation of operation `i`, `2·i + 2` its response.
  private var next: [Int]
  private var previous: [Int]
  private var taken: [UInt64]
  private var firstWord = 0
  private var lastWord = 0
  private var value: UInt64?
  private var steps: [Step] = []
  private var visited: Set<Place> = []

  /// The register holds nothing at first; operations are in the order of their invocations.
  init(_ operations: [RegisterOperation]) {
    self.operations = operations
    let count = operations.count
    next = Array(repeating: 0, count: 2 * count + 1)
    previous = next
    taken = Array(repeating: 0, count: count / 64 + 1)
    // At one moment invocations come before responses: what touches is concurrent.
    let events = operations.indices.flatMap { [2 * $0 + 1, 2 * $0 + 2] }.sorted { a, b in
      let times = (Self.time(a, operations), Self.time(b, operations))
      return times.0 != times.1 ? times.0 < times.1 : (1 - a % 2, a) < (1 - b % 2, b)
    }
    var last = 0
    for event in events {
      next[last] = event
      previous[event] = last
      last = event
    }
    next[last] = 0
    previous[0] = last
  }

  private static func time(_ event: Int, _ operations: [RegisterOperation]) -> UInt64 {
    let operation = operations[(event - 1) / 2]
    return event % 2 == 1 ? operation.invoked : operation.responded
  }

  /// Searches to the end, or until it has taken too many steps.
  mutating func run() -> Verdict {
    var event = next[0]
    var furthest = (taken: -1, stuck: 0)
    for _ in 0..<Limits.linearizabilitySteps {
      if event == 0 { return .linearizable }
      let operation = (event - 1) / 2
      if event % 2 == 1 {
        event = take(operation) ? next[0] : next[event]
        continue
      }
      // The response of an operation that could not be taken.
      if steps.count > furthest.taken { furthest = (steps.count, operation) }
      guard let last = turnBack() else { return .impossible(stuck: furthest.stuck) }
      event = next[2 * last + 1]
    }
    return .undecided(stuck: furthest.stuck)
  }

  /// Takes an operation away if the register's value allows it and the search has not been there before.
  private mutating func take(_ index: Int) -> Bool {
    let operation = operations[index]
    if operation.kind == .read, operation.value != value { return false }
    let step = Step(operation: index, value: value, firstWord: firstWord, lastWord: lastWord)
    taken[index / 64] |= 1 << UInt64(index % 64)
    lastWord = max(lastWord, index / 64)
    while firstWord < taken.count - 1, taken[firstWord] == .max { firstWord += 1 }
    if operation.kind == .write {
      value = operation.value
      let words = firstWord <= lastWord ? Array(taken[firstWord...lastWord]) : []
      guard visited.insert(Place(firstWord: firstWord, words: words, value: value)).inserted else {
        putBack(step)
        return false
      }
    }
    steps.append(step)
    for event in [2 * index + 1, 2 * index + 2] {
      next[previous[event]] = next[event]
      previous[next[event]] = previous[event]
    }
    return true
  }

  /// Puts operations back up to the last write, which has alternatives; nil if there is none.
  private mutating func turnBack() -> Int? {
    while let step = steps.popLast() {
      for event in [2 * step.operation + 2, 2 * step.operation + 1] {
        next[previous[event]] = event
        previous[next[event]] = event
      }
      putBack(step)
      if operations[step.operation].kind == .write { return step.operation }
    }
    return nil
  }

  private mutating func putBack(_ step: Step) {
    taken[step.operation / 64] &= ~(1 << UInt64(step.operation % 64))
    (value, firstWord, lastWord) = (step.value, step.firstWord, step.lastWord)
  }
}
