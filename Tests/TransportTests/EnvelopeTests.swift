import Foundation
import GRPCCore
import Paxos
import Replication
import SwiftProtobuf
import Testing

@testable import Transport

@Suite struct EnvelopeTests {
  /// A message from outside is a value or an error, whatever its octets are; and a value is what it says.
  @Test(arguments: UInt64(0)..<40) func mutatedMessagesAreValuesOrErrors(seed: UInt64) throws {
    var random = RandomValues(seed: seed)
    var (values, errors) = (0, 0)
    for _ in 0..<500 {
      var octets: [UInt8] = try random.peerMessage().proto.serializedBytes()
      for _ in 0...random.pick(4) where !octets.isEmpty {
        let place = random.pick(octets.count)
        switch random.pick(4) {
        case 0: octets[place] = UInt8(random.pick(256))
        case 1: octets.remove(at: place)
        case 2: octets.insert(UInt8(random.pick(256)), at: place)
        default: octets[place] ^= 1 << UInt8(random.pick(8))
        }
      }
      do {
        let message = try PeerMessage(try ProtoReplicaMessage(serializedBytes: octets))
        let again: [UInt8] = try message.proto.serializedBytes()
        #expect(try PeerMessage(try ProtoReplicaMessage(serializedBytes: again)) == message)
        values += 1
      } catch is MalformedMessage {
        errors += 1
      } catch is BinaryDecodingError {
        errors += 1
      }
    }
    #expect(values > 20 && errors > 20)
  }

  @Test func largestEntryTravels() throws {
    let entry = Paxos.Entry.command([UInt8](repeating: 7, count: Paxos.Limits.commandBytes))
    let envelope = Envelope(
      cluster: ClusterID(1), from: ReplicaID(2), to: ReplicaID(3),
      message: .accept(
        Accept(ballot: .none, first: Slot(1), entries: [entry, entry], committed: .none, sent: 0)))
    let octets: [UInt8] = try PeerMessage.envelope(envelope).proto.serializedBytes()
    #expect(octets.count <= Transport.Limits.replicaMessageBytes)
    #expect(try PeerMessage(ProtoReplicaMessage(serializedBytes: octets)) == .envelope(envelope))
  }

  @Test(arguments: [
    (
      "envelope.version: is 2, and this release speaks 1",
      { @Sendable (proto: inout ProtoReplicaMessage) in proto.envelope.version = 2 }
    ),
    (
      "envelope.message: is missing or unknown to this version",
      { @Sendable (proto: inout ProtoReplicaMessage) in proto.envelope.message = nil }
    ),
    (
      "envelope.accept.ballot: is missing",
      { @Sendable (proto: inout ProtoReplicaMessage) in proto.envelope.accept = ProtoPaxosAccept() }
    ),
    (
      "envelope.accept.entries[0].command: is of 4194305, more than 4194304",
      { @Sendable (proto: inout ProtoReplicaMessage) in
        proto.envelope.accept.ballot = ProtoPaxosBallot()
        var entry = ProtoPaxosEntry()
        entry.command = Data(count: Paxos.Limits.commandBytes + 1)
        proto.envelope.accept.entries = [entry]
      }
    ),
    (
      "envelope.accept.entries: is of 129, more than 128",
      { @Sendable (proto: inout ProtoReplicaMessage) in
        proto.envelope.accept.ballot = ProtoPaxosBallot()
        proto.envelope.accept.entries = Array(repeating: Paxos.Entry.noOp.proto, count: 129)
      }
    ),
    (
      "envelope.accepted.count: is 129, more than 128",
      { @Sendable (proto: inout ProtoReplicaMessage) in
        proto.envelope.accepted.ballot = ProtoPaxosBallot()
        proto.envelope.accepted.count = 129
      }
    ),
    (
      "envelope.chunk.octets: is of 1048577, more than 1048576",
      { @Sendable (proto: inout ProtoReplicaMessage) in
        proto.envelope.chunk.octets = Data(count: Paxos.Limits.chunkBytes + 1)
      }
    ),
    (
      "envelope.chunk.memberships[0].voters: are none, or not in order, or decided too late",
      { @Sendable (proto: inout ProtoReplicaMessage) in
        proto.envelope.chunk.memberships = [ProtoPaxosMembership()]
      }
    ),
    (
      "hello.founders: is of 8, more than 7",
      { @Sendable (proto: inout ProtoReplicaMessage) in proto.hello.founders = [1, 2, 3, 4, 5, 6, 7, 8] }
    ),
    (
      "status.role: 9 is unknown to this version",
      { @Sendable (proto: inout ProtoReplicaMessage) in proto.status.role = .UNRECOGNIZED(9) }
    ),
  ])
  func malformedMessagesNameTheField(error: String, change: @Sendable (inout ProtoReplicaMessage) -> Void) {
    let envelope = Envelope(
      cluster: ClusterID(1), from: ReplicaID(2), to: ReplicaID(3), message: .supported(.none))
    var proto = PeerMessage.envelope(envelope).proto
    change(&proto)
    let seen = #expect(throws: MalformedMessage.self) { try PeerMessage(proto) }
    #expect(seen.map { "\($0.field): \($0.reason)" } == error)
  }

  @Test func tooMuchIsNotRead() throws {
    let reader = ReplicaMessageDeserializer()
    #expect(throws: RPCError.self) {
      try reader.deserialize([UInt8](repeating: 0, count: Transport.Limits.replicaMessageBytes + 1))
    }
    #expect(try reader.deserialize([UInt8]()) == ProtoReplicaMessage())
    for (count, isRead) in [(Paxos.Limits.messageEntries, true), (200, false), (1_000_000, false)] {
      var accept = ProtoPaxosAccept()
      accept.entries = Array(repeating: ProtoPaxosEntry(), count: count)
      var proto = ProtoReplicaMessage()
      proto.envelope.accept = accept
      let octets: [UInt8] = try proto.serializedBytes()
      #expect((try? reader.deserialize(octets)) == (isRead ? proto : nil))
      // The same in many pieces, which protobuf would put together.
      let half: [UInt8] = try ProtoReplicaMessage.with {
        $0.envelope.accept.entries = Array(repeating: ProtoPaxosEntry(), count: Paxos.Limits.messageEntries)
      }.serializedBytes()
      #expect(throws: RPCError.self) { try reader.deserialize(half + half) }
    }
    // A group (wire type 3), behind which anything could hide.
    #expect(throws: RPCError.self) { try reader.deserialize([0x1b, 0x1c] as [UInt8]) }
  }

  @Test(arguments: UInt64(0)..<20) func ordinaryMessagesAreRead(seed: UInt64) throws {
    var random = RandomValues(seed: seed)
    for _ in 0..<200 {
      let proto = random.peerMessage().proto
      let octets: [UInt8] = try proto.serializedBytes()
      #expect(try ReplicaMessageDeserializer().deserialize(octets) == proto)
    }
  }
}
