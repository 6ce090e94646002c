import Control
import Replication
import Synchronization

/// A link that another manager has dialled: it speaks, and hears how this one introduces itself.
final class AcceptedLink: Sendable {
  /// An element whenever an answer is due.
  let answers: AsyncStream<Void>
  private let continuation: AsyncStream<Void>.Continuation
  private let peer = Mutex<PeerHello?>(nil)

  init() { (answers, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

  /// How the other manager has introduced itself.
  var hello: PeerHello? { peer.withLock { $0 } }

  /// Answers soon.
  func answer() { continuation.yield() }

  /// Takes a hello; true if it says something new.
  func take(_ hello: PeerHello) throws(LinkRefusal) -> Bool {
    let before = self.hello
    if let before, before.replica != hello.replica || before.node != hello.node {
      throw LinkRefusal(label: "another-replica", reason: "the hellos of one link are of two managers")
    }
    peer.withLock { $0 = hello }
    answer()
    return before != hello
  }
}

/// Why a link between managers is not kept.
struct LinkRefusal: Error, Hashable {
  /// A word for counters.
  let label: String
  /// One sentence.
  let reason: String
}
