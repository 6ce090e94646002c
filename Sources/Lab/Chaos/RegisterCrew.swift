import Control
import Glibc

/// The processes that work on registers from a client's namespace, and the files they leave.
struct RegisterCrew {
  /// Where one client notes who leads.
  let sightings: String
  private let histories: [String]
  private let processes: [RecordedProcess]
  private let final: String
  private let member: String
  private let registers: Int

  /// Starts so many processes with so many clients each.
  static func start(
    in lab: Lab, from member: String, processes: Int, clients: Int, registers: Int
  ) async throws(LabError) -> RegisterCrew {
    precondition(processes * clients < RegisterClient.clients, "more clients than numbers")
    let directory = lab.directory(of: member)
    try StateFiles.makeDirectory(directory)
    let sightings = "\(directory)/sightings.jsonl"
    var histories: [String] = []
    var started: [RecordedProcess] = []
    for index in 0..<processes {
      let history = "\(directory)/history-\(index).jsonl"
      var words = [
        "registers", "--history", history, "--first", "\(index * clients)", "--clients", "\(clients)",
        "--registers", "\(registers)",
      ]
      if index == 0 { words += ["--sightings", sightings] }
      let daemon = Daemon(
        member: member, duty: .measurement, label: "registers-\(index)",
        namespace: try lab.namespace(of: member), words: lab.operateWords(words), directory: directory,
        log: "\(directory)/registers-\(index).log")
      histories.append(history)
      started.append(try await daemon.start())
    }
    return RegisterCrew(
      sightings: sightings, histories: histories, processes: started, final: "\(directory)/final.jsonl",
      member: member, registers: registers)
  }

  /// Waits until something has been written, and somebody leads.
  func awaitWork() async throws(LabError) {
    let works = await Patience.wait(upTo: Limits.convergenceMilliseconds) {
      let operations = try? JSONLines.read(RegisterOperation.self, from: histories[0])
      let seen = (try? JSONLines.read(ManagerSighting.self, from: sightings)) ?? []
      let isWritten = operations?.contains { $0.kind == .write && $0.outcome == .ok } ?? false
      return isWritten && seen.leader(since: 0) != nil
    }
    guard works else { throw LabError(.timeout, "No client could write a register; its log says more.") }
  }

  /// Refuses if a client has ended.
  func check() throws(LabError) {
    guard let gone = processes.first(where: { !$0.isRunning }) else { return }
    throw LabError(.command, "The process \(gone.label) of \(gone.member) has ended; its log says why.")
  }

  /// Ends the clients: they finish what they have begun.
  func stop() async throws(LabError) {
    for process in processes { process.signal(SIGTERM) }
    let isOver = await Patience.wait(upTo: Limits.convergenceMilliseconds) {
      !processes.contains(where: \.isRunning)
    }
    guard isOver else { throw LabError(.timeout, "A client does not come to an end.") }
  }

  /// Reads every register once more.
  func readFinally(in lab: Lab) async throws(LabError) {
    let words = [
      "registers", "--history", final, "--first", "\(RegisterClient.clients - 1)", "--clients", "1",
      "--registers", "\(registers)", "--reads", "1",
    ]
    try await lab.command(in: member, lab.operateWords(words)).check()
  }

  /// What all clients saw, the final reads included.
  func history() throws(LabError) -> [RegisterOperation] {
    var all: [RegisterOperation] = []
    for file in histories + [final] { all += try JSONLines.read(RegisterOperation.self, from: file) }
    return all
  }

  /// Who led, as one client saw it.
  func leaders() throws(LabError) -> [ManagerSighting] {
    try JSONLines.read(ManagerSighting.self, from: sightings)
  }

  /// Every file that says what happened.
  var files: [String] { histories + [final, sightings] }
}
