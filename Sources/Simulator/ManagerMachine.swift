import Paxos

/// A machine on which a manager runs: a disk, a clock, and a process that comes and goes.
struct ManagerMachine {
  /// The replica that lives on its disk.
  var id: ReplicaID
  var disk: SimulatedDisk
  var clock: SimulatedClock
  /// Nothing while it is down.
  var process: ManagerProcess?
  /// Counts the starts, so that what was meant for an earlier process finds none.
  var life = 0
  /// Its process is stopped until then.
  var suspendedUntil: Moment = 0
  /// What its process takes when it goes on.
  var heldBack: [World.Event] = []
  /// For when its stages are on the agenda.
  var stagesAt: Moment?

  /// Lets its process do something, if there is one.
  func step(_ time: Moment, _ body: (ManagerProcess, ManagerProcess.Now) -> Void) {
    if let process {
      body(
        process, ManagerProcess.Now(time: time, clock: clock.reading(at: time), wall: clock.wall(at: time)))
    }
  }
}
