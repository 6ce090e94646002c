import Control
import GRPCCore
import GRPCNIOTransportHTTP2
import GRPCProtobuf
import SwiftProtobuf
import Testing

@testable import Transport

/// A manager that takes a change up and then fails in a way that nobody has foreseen.
@Suite(.timeLimit(.minutes(1))) struct BrokenAnswerTests {
  enum Answer: Sendable {
    case error(RPCError.Code)
    /// A change of nothing, which no release means.
    case malformed
  }

  private struct BrokenOperator: RegistrableRPCService {
    let answer: Answer

    func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
      router.registerHandler(
        forMethod: ProtoOperator.Method.Apply.descriptor,
        deserializer: ProtobufDeserializer<ProtoApplyRequest>(),
        serializer: ProtobufSerializer<ProtoOutcome>()
      ) { _, _ in
        switch answer {
        case .error(let code): throw RPCError(code: code, message: "broken")
        case .malformed:
          return StreamingServerResponse(
            single: ServerResponse(message: .with { $0.changes = [ProtoChange()] }))
        }
      }
    }
  }

  private func ask(_ answer: Answer, dryRun: Bool) async throws -> ManagementClientError? {
    let server = GRPCServer(
      transport: HTTP2ServerTransport.Posix(
        address: .ipv4(host: "127.0.0.1", port: 0), transportSecurity: .plaintext),
      services: [BrokenOperator(answer: answer)])
    async let serving: Void = server.serve()
    let port = try #require(try await server.transport.listeningAddress.ipv4?.port)
    let client = ManagementClient(
      managers: [ManagerAddress(host: "127.0.0.1", port: UInt16(port))], security: .plaintext,
      timeout: .seconds(30))
    var failure: ManagementClientError?
    do throws(ManagementClientError) { _ = try await client.perform(.apply([]), dryRun: dryRun) } catch {
      failure = error
    }
    server.beginGracefulShutdown()
    try await serving
    return failure
  }

  @Test(arguments: [Answer.error(.unknown), .error(.internalError), .error(.cancelled), .malformed])
  func nobodyKnowsWhatBecameOfAChange(answer: Answer) async throws {
    let failure = try await ask(answer, dryRun: false)
    guard case .manager(.uncertain) = failure else {
      Issue.record("a change that may have been made was said to be \(String(describing: failure))")
      return
    }
    guard case .manager = try await ask(answer, dryRun: true) else { return }
    Issue.record("a question that changes nothing is never uncertain")
  }

  @Test func whatWasTooLargeWasNotDone() async throws {
    guard case .failed = try await ask(.error(.resourceExhausted), dryRun: false) else {
      Issue.record("a request that was not taken is certain not to have been carried out")
      return
    }
  }
}
