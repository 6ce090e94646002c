import Control

/// An agent's connection to a manager: what is said arrives in order, or not at all.
///
/// As with TCP, what a cut path holds back arrives when it heals, however late; and what a process has said
/// arrives though it has ended since.
struct Stream: Sendable {
  enum Downward: Sendable {
    case accepted
    case refused(ManagementError)
    case update(Update)
    case portRefusal(PortRefusal)
    case ended
    case pong
  }
  enum Upward: Sendable {
    case hello(Hello)
    case report(Report)
    case ping
    case ended
  }

  let agent: Int
  let agentLife: Int
  let manager: Int
  let managerLife: Int
  private(set) var down = Pipe<Downward>()
  private(set) var up = Pipe<Upward>()

  init(agent: Int, agentLife: Int, manager: Int, managerLife: Int) {
    self.agent = agent
    self.agentLife = agentLife
    self.manager = manager
    self.managerLife = managerLife
  }

  /// Takes an item; returns when it arrives.
  mutating func send(_ item: Downward, arriving time: Moment) -> Moment { down.append(item, arriving: time) }
  mutating func send(_ item: Upward, arriving time: Moment) -> Moment { up.append(item, arriving: time) }
  mutating func nextDown() -> Downward? { down.popFirst() }
  mutating func nextUp() -> Upward? { up.popFirst() }
}

/// One direction of a stream.
struct Pipe<Item: Sendable>: Sendable {
  private var items: [Item] = []
  private var last: Moment = 0

  mutating func append(_ item: Item, arriving time: Moment) -> Moment {
    items.append(item)
    last = max(last, time)
    return last
  }

  mutating func popFirst() -> Item? {
    items.isEmpty ? nil : items.removeFirst()
  }
}
