internal import Control
internal import Foundation
internal import Logging

/// The last state a node was told, on disk, so that forwarding goes on after a restart while no manager answers.
///
/// It is a cache: what matters is in the managers' log. A file that cannot be read is put aside and named.
struct NodeStateFile {
  private let url: URL

  init(directory: String) {
    url = URL(filePath: directory).appending(path: "node-state.json")
  }

  /// The state, or nil when there is none that can be used.
  func load(logger: Logger) -> NodeState? {
    guard let data = try? Data(contentsOf: url) else { return nil }
    do {
      return try JSONDecoder().decode(NodeState.self, from: data)
    } catch {
      let aside = url.appendingPathExtension("unreadable")
      try? FileManager.default.removeItem(at: aside)
      try? FileManager.default.moveItem(at: url, to: aside)
      logger.warning(
        "the last state cannot be read; waiting for a manager",
        metadata: ["file": "\(aside.path)", "error": "\(error)"])
      return nil
    }
  }

  /// Replaces the file as a whole.
  func save(_ state: NodeState, logger: Logger) {
    do {
      try JSONEncoder().encode(state).write(to: url, options: .atomic)
    } catch {
      logger.warning(
        "cannot keep the last state: after a restart this node needs a manager before it forwards",
        metadata: ["file": "\(url.path)", "error": "\(error)"])
    }
  }
}
