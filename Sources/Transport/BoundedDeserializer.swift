import GRPCCore
import GRPCProtobuf
import SwiftProtobuf

/// Reads protobuf messages of a bounded size; a larger one is refused before anything is made of it.
struct BoundedDeserializer<Message: SwiftProtobuf.Message>: MessageDeserializer {
  let limit: Int

  func deserialize<Bytes: GRPCContiguousBytes>(_ octets: Bytes) throws -> Message {
    let count = unsafe octets.withUnsafeBytes { $0.count }
    guard count <= limit else {
      throw RPCError(code: .resourceExhausted, message: "a message of \(count) octets, more than \(limit)")
    }
    return try ProtobufDeserializer<Message>().deserialize(octets)
  }
}
