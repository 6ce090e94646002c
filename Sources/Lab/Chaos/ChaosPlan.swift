/// What is done to the managers, round by round; equal seeds give equal plans.
public struct ChaosPlan: Codable, Hashable, Sendable {
  /// A fault and its time within its round.
  public struct Event: Codable, Hashable, Sendable {
    /// What is done.
    public var fault: ChaosFault
    /// Milliseconds from the round's beginning until it is done.
    public var after: Int
    /// Milliseconds until it is undone.
    public var lasts: Int
  }
  /// Faults that overlap, and a rest in which all is well.
  public struct Round: Codable, Hashable, Sendable {
    /// In the order of their beginnings.
    public var events: [Event]
    /// Milliseconds after the last was undone.
    public var rest: Int

    /// The beginning or the end of one of its events.
    struct Act: Hashable {
      /// Milliseconds from the round's beginning.
      var at: Int
      /// The event's place.
      var event: Int
      var isEnd: Bool
    }

    /// What is done and undone, in the order of time.
    var acts: [Act] {
      let acts = events.enumerated().flatMap { index, event in
        [
          Act(at: event.after, event: index, isEnd: false),
          Act(at: event.after + event.lasts, event: index, isEnd: true),
        ]
      }
      return acts.sorted { ($0.at, $0.event) < ($1.at, $1.event) }
    }
  }
  /// What decides.
  public var seed: UInt64
  /// What is done.
  public var rounds: [Round]

  /// Draws a plan for so many managers.
  public init(seed: UInt64, rounds: Int, managers: Int) {
    self.seed = seed
    var dice = Dice(chance: SeededGenerator(seed: seed), managers: managers)
    self.rounds = (0..<rounds).map { _ in dice.round() }
  }

  private struct Dice {
    var chance: SeededGenerator
    let managers: Int

    mutating func round() -> Round {
      // Every eighth round has all sorts of faults at once.
      let count = number(0...7) == 0 ? number(2...4) : 1
      let events = (0..<count).map { index in
        let fault = fault()
        return Event(fault: fault, after: index == 0 ? 0 : number(0...600), lasts: duration(of: fault))
      }
      return Round(events: events.sorted { $0.after < $1.after }, rest: number(100...600))
    }

    private mutating func fault() -> ChaosFault {
      switch number(0...99) {
      case ..<30: .kill([.leader])
      case ..<38: .kill([.manager(other())])
      case ..<46: .kill(pair().map(ChaosFault.Target.manager))
      case ..<50: .kill([.leader, .manager(other())])
      case ..<58: .stop([.leader])
      case ..<64: .stop(pair().map(ChaosFault.Target.manager))
      case ..<72: .cut(.alone(.leader))
      case ..<76: .cut(.gone(.leader))
      case ..<80: .cut(.deaf(.leader))
      case ..<84: .cut(.mute(.leader))
      case ..<92: .cut(.split(pair()))
      case ..<96: .cut(.oneWay(pair()))
      default: .cut(.alone(.manager(other())))
      }
    }

    /// Short ones are as good as long ones, apart from a few that outlast every time-out of the managers.
    private mutating func duration(of fault: ChaosFault) -> Int {
      switch (fault, number(0...9)) {
      case (.stop, 0): number(1500...3000)
      case (.stop, ...4): number(500...1500)
      case (.stop, _): number(100...500)
      case (.cut, 0): number(1500...3000)
      case (.cut, _): number(300...1200)
      case (.kill, 0): number(1000...2000)
      case (.kill, _): number(100...800)
      }
    }

    private mutating func other() -> Int { number(0...(managers - 1)) }

    /// Two of five, one of three: a minority.
    private mutating func pair() -> [Int] {
      let count = max(1, (managers - 1) / 2)
      return Array((0..<managers).shuffled(using: &chance).prefix(count)).sorted()
    }

    private mutating func number(_ range: ClosedRange<Int>) -> Int { .random(in: range, using: &chance) }
  }
}
