/// What goes wrong in a simulated data centre.
public enum Fault: String, CaseIterable, Sendable {
  /// Messages between replicas are lost, for a while.
  case loss
  /// Messages take longer than usual, and overtake each other, for a while.
  case delay
  /// Messages between replicas arrive twice, for a while.
  case repetition
  /// A replica, or a side, is cut off from the others.
  case partition
  /// Some directions carry nothing while the opposite ones do.
  case oneWayPartition
  /// A clock changes its pace, within the bound that replicas believe in.
  case drift
  /// A machine's clock on the wall is set forward or back; replicas do not look at it, keys and audit records do.
  case clockJump
  /// A manager's process is stopped for up to two minutes, and goes on where it was.
  case suspension
  /// A manager's process ends; what was not synced is lost, or reaches the disk in part.
  case crash
  /// All managers end at once.
  case powerFailure
  /// A disk stands still, up to minutes, and thaws.
  case diskStall
  /// A disk takes no more; its manager stops, and is started again when there is room.
  case diskFull
  /// A disk is lost; its replica rejoins with an empty one, under a new name.
  case diskLoss
  /// A voter is added, or removed.
  case membershipChange
  /// The leader is asked to hand over.
  case transfer
  /// An agent's process ends, and comes back with its saved state.
  case agentCrash
  /// An agent lives, and carries nothing out that it is told, as when its disk is full.
  case deafness
  /// What a manager has told an agent stays in the network's queues for seconds.
  case lateness
  /// Requests and statistics arrive many at a time.
  case overload
}

/// How often each fault happens: its share among all faults.
public struct FaultRates: Sendable, Hashable {
  private var shares: [Int]

  /// All of them, as often as makes most of a short life.
  public static let all = FaultRates { fault in
    switch fault {
    case .crash, .partition, .suspension, .diskStall, .agentCrash, .lateness: 10
    case .loss, .delay, .oneWayPartition, .powerFailure, .membershipChange, .deafness: 6
    case .repetition, .diskFull, .diskLoss, .transfer, .overload, .drift, .clockJump: 4
    }
  }

  /// None.
  public static let none = FaultRates { _ in 0 }

  /// Gives each fault its share.
  public init(_ share: (Fault) -> Int) {
    shares = Fault.allCases.map(share)
  }

  /// The share of one; 0 is never.
  public subscript(fault: Fault) -> Int {
    get { shares[fault.place] }
    set { shares[fault.place] = max(0, newValue) }
  }

  /// Draws a fault; nothing when there is none.
  func draw(_ chance: inout Chance) -> Fault? {
    let total = shares.reduce(0, +)
    guard total > 0 else { return nil }
    var rest = chance.number(0...total - 1)
    return Fault.allCases.first { fault in
      rest -= self[fault]
      return rest < 0
    }
  }
}

extension Fault {
  fileprivate var place: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
