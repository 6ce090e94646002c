/// Something that is done to managers for a while.
public enum ChaosFault: Codable, Hashable, Sendable {
  /// Which manager is meant.
  public enum Target: Codable, Hashable, Sendable {
    /// Whichever leads at that moment.
    case leader
    /// The one of that place in the topology.
    case manager(Int)
  }

  /// Who cannot hear whom on the managers' port; connections stay open, as on a network that has failed silently.
  public enum Cut: Codable, Hashable, Sendable {
    /// The target and the other managers hear nothing of one another; clients and agents reach it.
    case alone(Target)
    /// As before, and clients and agents do not reach it either.
    case gone(Target)
    /// The target hears nothing of the other managers, which hear it.
    case deaf(Target)
    /// The other managers hear nothing of the target, which hears them.
    case mute(Target)
    /// These and the others hear nothing of one another.
    case split([Int])
    /// The others hear nothing of these, which hear them.
    case oneWay([Int])
  }

  /// `kill -9`, and a new start at the end.
  case kill([Target])
  /// SIGSTOP, and SIGCONT at the end.
  case stop([Target])
  /// A cut of the network, healed at the end.
  case cut(Cut)

  /// The sort, as reports count it.
  public var name: String {
    switch self {
    case .kill([.leader]): "kill leader"
    case .kill(let targets): "kill \(targets.count)"
    case .stop([.leader]): "stop leader"
    case .stop(let targets): "stop \(targets.count)"
    case .cut(.alone(.leader)), .cut(.gone(.leader)): "leader cut off"
    case .cut(.deaf(.leader)), .cut(.mute(.leader)): "leader cut off one way"
    case .cut(.alone), .cut(.gone), .cut(.split): "partition"
    case .cut(.deaf), .cut(.mute), .cut(.oneWay): "one-way partition"
    }
  }

  /// The cut as a pair of who is not heard and who does not hear; `leader` is the place of the leader.
  static func silences(
    of cut: Cut, managers: Int, leader: Int
  ) -> [(from: Set<Int>, to: Set<Int>)] {
    let all = Set(0..<managers)
    func place(_ target: Target) -> Set<Int> {
      switch target {
      case .leader: [leader]
      case .manager(let index): [index]
      }
    }
    func both(_ side: Set<Int>) -> [(from: Set<Int>, to: Set<Int>)] {
      let other = all.subtracting(side)
      return [(side, other), (other, side)]
    }
    return switch cut {
    case .alone(let target), .gone(let target): both(place(target))
    case .deaf(let target): [(all.subtracting(place(target)), place(target))]
    case .mute(let target): [(place(target), all.subtracting(place(target)))]
    case .split(let side): both(Set(side))
    case .oneWay(let side): [(Set(side), all.subtracting(side))]
    }
  }
}
