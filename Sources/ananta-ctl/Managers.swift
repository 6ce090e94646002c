import ArgumentParser
import Control
import Transport

/// Gives votes, takes them, and hands leadership over.
struct Managers: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Give a manager a vote, take it, or hand leadership over; `get managers` lists them.",
    subcommands: [Add.self, Remove.self, TransferLeadership.self])

  /// Gives a vote.
  struct Add: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Give the manager of a node a vote; it must run and have caught up.")
    @Argument(help: "The node.") var node: String
    @OptionGroup var manager: ManagerOptions

    func run() async throws { try await manager.change(.add(node), done: "has a vote") }
  }

  /// Takes a vote.
  struct Remove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Take the vote of a node's manager.",
      discussion: "A manager whose disk is gone is named by its old replica: see `get managers -o wide`.")
    @Argument(help: "The node, or the replica in hexadecimal.") var node: String
    @OptionGroup var manager: ManagerOptions

    func run() async throws { try await manager.change(.remove(node), done: "has no vote any more") }
  }

  /// Hands leadership over.
  struct TransferLeadership: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "transfer", abstract: "Hand leadership to the manager of a node.")
    @Argument(help: "The node.") var node: String
    @OptionGroup var manager: ManagerOptions

    func run() async throws { try await manager.change(.transfer(to: node), done: "leads") }
  }
}

extension ManagerOptions {
  /// Not repeated when no answer came: a second attempt would be a second change.
  fileprivate func change(_ change: ManagerChange, done: String) async throws {
    let node =
      switch change {
      case .add(let node), .remove(let node), .transfer(let node): node
      }
    let client = try client()
    do throws(ManagementClientError) {
      try await Persistence(within: limitOrDefault).perform { () async throws(ManagementClientError) in
        try await client.change(change)
      }
    } catch {
      throw Failure.exit(error, ofChange: true)
    }
    Terminal.out("manager/\(node) \(done)\n")
  }
}
