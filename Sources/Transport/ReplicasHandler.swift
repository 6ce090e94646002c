import Control
import GRPCCore
import GRPCProtobuf
import Replication

/// Serves other managers: a stream of what one of them says, answered by hellos.
///
/// It is registered by hand, since the generated code knows no limit for one method's messages.
struct ReplicasHandler: RegistrableRPCService {
  let links: ReplicaLinks
  let admission: Admission

  func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
    router.registerHandler(
      forMethod: ProtoReplicas.Method.Link.descriptor,
      deserializer: ReplicaMessageDeserializer(),
      serializer: ProtobufSerializer<ProtoReplicaHello>()
    ) { request, context in
      StreamingServerResponse { writer in
        try await RPCFailure.translated { try await serve(request.messages, writer, context) }
        return [:]
      }
    }
  }

  private func serve(
    _ messages: RPCAsyncSequence<ProtoReplicaMessage, any Error>, _ writer: RPCWriter<ProtoReplicaHello>,
    _ context: ServerContext
  ) async throws {
    let caller = try admission.caller(context)
    // Places are few: who may open no link at all, or says nothing, takes none of those who may.
    try admission.admit(.link(node: caller.identity.node ?? ""), by: caller)
    let link = try links.accept()
    let limit = ContinuousClock.now + Limits.replicaSilence
    defer { links.forget(link) }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        for try await message in messages { try take(message, link, caller) }
      }
      group.addTask {
        for await _ in link.answers {
          if link.hello != nil, let hello = links.hello { try await writer.write(hello.proto) }
        }
      }
      group.addTask {
        while true {
          try await Task.sleep(for: Limits.replicaSignOfLife)
          if link.hello == nil, limit < .now { throw refused(Self.speechless, caller) }
          link.answer()
        }
      }
      group.addTask { try await context.cancellation.cancelled }
      group.addTask { try await caller.untilExpiry() }
      defer { group.cancelAll() }
      try await group.next()
    }
  }

  private func take(_ proto: ProtoReplicaMessage, _ link: AcceptedLink, _ caller: Caller) throws {
    let message: PeerMessage
    do throws(MalformedMessage) { message = try PeerMessage(proto) } catch {
      links.refuse("malformed", caller.peer, error.description)
      throw error
    }
    if case .hello(let hello) = message { try admission.admit(.link(node: hello.node), by: caller) }
    do throws(LinkRefusal) { try links.take(message, over: link) } catch { throw refused(error, caller) }
  }

  private static let speechless = LinkRefusal(
    label: "no-hello", reason: "no hello has come within \(Limits.replicaSilence)")

  /// Counts and logs a refusal, and says it to the other side.
  private func refused(_ refusal: LinkRefusal, _ caller: Caller) -> ManagementError {
    links.refuse(refusal.label, caller.peer, refusal.reason)
    return .refused(reason: refusal.reason)
  }
}

extension Identity {
  /// The name of the node whose certificate it is; nil: it is no node's.
  fileprivate var node: String? {
    if case .node(let name, _) = self { name } else { nil }
  }
}
