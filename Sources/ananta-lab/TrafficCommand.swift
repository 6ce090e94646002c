import ArgumentParser
import Lab
import Wire

/// Makes traffic in the namespace it is run in; the lab runs it inside clients and VMs.
struct TrafficCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "traffic", abstract: "Make traffic and report it as JSON.", shouldDisplay: false,
    subcommands: [Connect.self, Hold.self, Ask.self, Answer.self, Reach.self])

  /// `ADDRESS:PORT`.
  struct Target: ExpressibleByArgument {
    let address: IPv4Address
    let port: UInt16

    init?(argument: String) {
      let parts = argument.split(separator: ":")
      guard parts.count == 2, let address = IPv4Address(String(parts[0])), let port = UInt16(parts[1]) else {
        return nil
      }
      self.address = address
      self.port = port
    }
  }

  /// Many short connections.
  struct Connect: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Make short connections, one HTTP request each.")
    @Option(help: "ADDRESS:PORT.") var to: Target
    @Option(help: "How many.") var count = 100
    @Option(help: "How many at once.") var concurrency = 50
    @Option(help: "How many are begun per second; 0 for as many as can be.") var perSecond = 0
    @Option(help: "Milliseconds after which one has failed.") var timeout = 5_000

    func run() async throws {
      let load = ConnectLoad(
        address: to.address, port: to.port, count: count, concurrency: concurrency, perSecond: perSecond,
        timeoutMilliseconds: timeout)
      try Console.write(json: load.run())
    }
  }

  /// Long connections.
  struct Hold: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Hold connections with an HTTP request now and then.")
    @Option(help: "ADDRESS:PORT.") var to: Target
    @Option(help: "How many.") var count = 100
    @Option(help: "How long.") var seconds = 20
    @Option(help: "Milliseconds from a reply to the next request.") var interval = 100
    @Option(help: "Local port of the first; the others follow.") var firstPort: UInt16 = 20_000
    @Option(help: "Milliseconds without a reply after which one is broken.") var patience = 10_000

    func validate() throws {
      guard count > 0, Int(firstPort) + count <= 65_536 else {
        throw ValidationError("Too many connections.")
      }
    }

    func run() async throws {
      let load = HoldLoad(
        address: to.address, port: to.port, count: count, seconds: seconds, firstLocalPort: firstPort,
        intervalMilliseconds: interval, patienceMilliseconds: patience)
      try Console.write(json: load.run())
    }
  }

  /// Connections of a VM to the internet.
  struct Reach: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Open connections to several servers, and keep them if wanted.")
    @Option(help: "ADDRESS:PORT; may be repeated.") var to: [Target]
    @Option(help: "How many.") var count = 100
    @Option(help: "How many are in the making at once.") var concurrency = 1
    @Option(help: "How many are begun per second; 0 for as many as can be.") var perSecond = 0
    @Option(help: "Milliseconds after which a handshake has failed.") var timeout = 10_000
    @Option(help: "Keep all open for so many seconds, then exchange a request on each.") var keep: Int?
    @Option(help: "Begin none after so many seconds.") var seconds = 300

    func validate() throws {
      guard !to.isEmpty, count > 0 else { throw ValidationError("--to and --count are needed.") }
    }

    func run() async throws {
      let load = OutboundLoad(
        targets: to.map { OutboundLoad.Target(address: $0.address, port: $0.port) }, count: count,
        concurrency: concurrency, perSecond: perSecond, timeoutMilliseconds: timeout, keepSeconds: keep,
        seconds: seconds)
      try Console.write(json: load.run())
    }
  }

  /// UDP questions.
  struct Ask: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Ask a UDP service who it is.")
    @Option(help: "ADDRESS:PORT.") var to: Target
    @Option(help: "How many times.") var count = 10

    func run() async throws {
      try Console.write(json: DatagramLoad(address: to.address, port: to.port, count: count).run())
    }
  }

  /// A UDP server.
  struct Answer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Answer every datagram with a name.")
    @Option(help: "The name.") var name: String
    @Option(help: "The port.") var port: UInt16

    func run() async throws { try DatagramServer(name: name, port: port).run() }
  }
}
