import ArgumentParser
import Control
import Transport
import Wire

/// Calls leased ports back.
struct SNAT: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "snat", abstract: "Call leased ports back; `get snat` lists them.",
    subcommands: [Recall.self])

  /// Calls them back.
  struct Recall: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Call leased ports back from VMs.",
      discussion: """
        No new connection takes them; they are free when the last one ends, at the latest \
        \(Control.Limits.recallMilliseconds / 60_000) minutes later. A VM that needs ports gets others.
        """)
    @Option(help: "All ports of this VM.") var vm: String?
    @Option(help: "The range that has this port, VIP:PORT.") var range: String?
    @Option(help: "All ports of this VIP.") var vip: String?
    @OptionGroup var manager: ManagerOptions

    func validate() throws { _ = try recall }

    /// Not repeated when no answer came: nobody would know how many there were.
    func run() async throws {
      let recall = try recall
      let client = try manager.client()
      let count: Int
      do throws(ManagementClientError) {
        count = try await Persistence(within: manager.limitOrDefault).perform {
          () async throws(ManagementClientError) in
          try await client.recall(recall)
        }
      } catch {
        throw Failure.exit(error, ofChange: true)
      }
      let ports = count * PortRange.portCount
      Terminal.out("\(name(of: recall)) \(count == 0 ? "nothing to recall" : "\(ports) ports recalled")\n")
    }

    private var recall: PortRecall {
      get throws {
        switch (vm, range, vip) {
        case (let vm?, nil, nil): return .machine(vm)
        case (nil, let text?, nil):
          let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
          guard parts.count == 2, let vip = IPv4Address(parts[0]), let port = UInt16(parts[1]) else {
            throw ValidationError("--range must be VIP:PORT such as 203.0.113.10:1024, not \(text)")
          }
          guard let range = PortRange(vip: vip, holding: port) else {
            throw ValidationError("ports below \(Control.Limits.firstLeasedPort) are never leased")
          }
          return .range(range)
        case (nil, nil, let text?):
          guard let vip = IPv4Address(text) else {
            throw ValidationError("--vip must be an IPv4 address, not \(text)")
          }
          return .vip(vip)
        default: throw ValidationError("give one of --vm, --range and --vip")
        }
      }
    }

    private func name(of recall: PortRecall) -> String {
      switch recall {
      case .machine(let name): "vm/\(name)"
      case .range(let range): "snat/\(range)"
      case .vip(let vip): "snat/\(vip)"
      }
    }
  }
}
