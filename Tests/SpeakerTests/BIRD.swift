import Foundation

/// BIRD 2.
final class BIRD: Router {
  private let network: TestNetwork
  private var process: Process?

  init(in network: TestNetwork) { self.network = network }

  func start() throws {
    try network.write(
      "bird.conf",
      """
      router id 10.77.0.1;
      protocol device { }
      protocol bgp mux {
        local 10.77.0.1 as 65000;
        neighbor 10.77.0.2 as 65001;
        passive on;
        error wait time 1, 2;
        ipv4 { import all; export none; };
      }
      """)
    process = try network.start(
      "bird",
      ["-f", "-c", network.path("bird.conf"), "-s", network.path("bird.ctl"), "-P", network.path("bird.pid")])
    try eventually("bird answers") { (try? ask("show", "status")) != nil }
  }

  func kill() { if let process { network.stop(process) } }

  private func ask(_ words: String...) throws -> String {
    try Command.run("birdc", "-s", network.path("bird.ctl"), words.joined(separator: " "))
  }

  func isEstablished() throws -> Bool { try ask("show protocols mux").contains("Established") }

  func routes() throws -> [String: String] {
    var found: [String: String] = [:]
    var prefix = ""
    for line in try ask("show route").split(separator: "\n") {
      let words = line.split(whereSeparator: \.isWhitespace)
      if let first = words.first, first.contains("/") { prefix = String(first) }
      if words.first == "via", words.count > 1 { found[prefix] = String(words[1]) }
    }
    return found
  }

  func connection() throws -> String {
    // mux  BGP  ---  up  15:04:05.678  Established
    let line = try ask("show protocols mux").split(separator: "\n").first { $0.hasPrefix("mux") }
    return line?.split(separator: " ").dropFirst(4).first.map(String.init) ?? "?"
  }

  func lastReset() throws -> String { try ask("show protocols all mux") }
}
