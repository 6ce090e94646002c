import ArgumentParser
import Control
import Lab
import Transport
import Wire

/// Works as operators do, from the namespace it is run in; the lab runs it inside clients.
struct OperateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "operate", abstract: "Work as many operators, and report it as JSON.", shouldDisplay: false,
    subcommands: [Registers.self, Applies.self, Flood.self, Ports.self, Leases.self])

  /// Clients that share registers.
  struct Registers: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Write unique numbers into registers and read them, until SIGTERM.")
    @Option(help: "The file that what is seen is appended to.") var history: String
    @Option(help: "The file that who leads is appended to.") var sightings: String?
    @Option(help: "The first client's number.") var first = 0
    @Option(help: "How many clients.") var clients = 1
    @Option(help: "How many registers.") var registers = 5
    @Option(help: "Read so often and end.") var reads: Int?
    @Option(help: "Milliseconds after which a request's outcome is unknown.") var timeout = 1_000

    func run() async throws {
      let managers = try OperatorAccess.fromEnvironment()
      let log = try JSONLines(appendingTo: history)
      let store = ManagedRegisters(client: managers.client(timeout: .milliseconds(timeout)))
      if let reads {
        let client = RegisterClient(number: first, registers: registers, store: store, history: log)
        try await read(reads, client)
        return
      }
      let watch = try sightings.map { try ManagerWatch(managers, log: JSONLines(appendingTo: $0)) }
      try await Interruptible.run {
        try await withThrowingTaskGroup(of: Void.self) { group in
          for number in first..<first + clients {
            let client = RegisterClient(number: number, registers: registers, store: store, history: log)
            group.addTask { try await client.run() }
          }
          if let watch { group.addTask { try await watch.run() } }
          try await group.waitForAll()
        }
      }
    }

    /// Every read is to succeed; one that fails is repeated, for at most a minute.
    private func read(_ count: Int, _ client: RegisterClient) async throws {
      for _ in 0..<count {
        let isRead = try await Patience.wait(upTo: 60_000) {
          try await client.read().outcome == .ok
        }
        guard isRead else { throw LabError(.timeout, "The registers cannot be read.") }
      }
    }
  }

  /// One change after the other.
  struct Applies: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Change a network again and again.")
    @Option(help: "How often.") var count = 500
    @Flag(help: "Each ends when every node has it.") var wait = false
    @Option(help: "Milliseconds between them.") var pause = 0

    func run() async throws {
      let client = try OperatorAccess.fromEnvironment().client(timeout: .seconds(10))
      try Console.write(json: await ApplyLoad(count: count, isWaiting: wait, pause: pause).run(client))
    }
  }

  /// As many requests of low priority as are wanted.
  struct Flood: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Send dry runs of many resources and questions for the state.")
    @Option(help: "How long.") var seconds = 5
    @Option(help: "How many at once.") var clients = 2
    @Option(help: "How many are begun per second; 0 for as many as can be.") var perSecond = 0
    @Option(help: "Resources of a dry run; more than 256 are low priority.") var resources = 300

    func run() async throws {
      let managers = try OperatorAccess.fromEnvironment()
      let flood = OperatorFlood(
        seconds: seconds, clients: clients, perSecond: perSecond, resources: resources)
      try Console.write(json: await flood.run { managers.client(timeout: .seconds(10)) })
    }
  }
}
