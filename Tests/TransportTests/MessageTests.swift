import Control
import SwiftProtobuf
import Testing
import Wire

@testable import Transport

@Suite struct MessageTests {
  /// Through bytes, so that the wire format itself is part of the trip.
  private func trip<Value: MessageValue & Equatable>(_ value: Value) throws -> Bool {
    let bytes: [UInt8] = try value.proto.serializedBytes()
    return try Value(Value.Proto(serializedBytes: bytes)) == value
  }

  @Test(arguments: UInt64(0)..<50) func valuesSurviveTheTrip(seed: UInt64) throws {
    var random = RandomValues(seed: seed)
    for _ in 0..<20 {
      #expect(try trip(random.operation()))
      #expect(try trip(random.outcome()))
      #expect(try trip(random.report()))
      #expect(try trip(random.managerMessage()))
      #expect(try trip(random.recall()))
      #expect(try trip(random.state()))
      #expect(try trip(random.auditRecord()))
      #expect(try trip(random.managerGroup()))
      #expect(try trip(random.peerMessage()))
    }
  }

  @Test(arguments: UInt64(0)..<20) func mutatedBytesNeverCrash(seed: UInt64) throws {
    var random = RandomValues(seed: seed)
    for _ in 0..<200 {
      var bytes: [UInt8] = try random.state().proto.serializedBytes()
      for _ in 0..<3 where !bytes.isEmpty { bytes[random.pick(bytes.count)] = UInt8(random.pick(256)) }
      if let proto = try? ProtoClusterState(serializedBytes: bytes) { _ = try? ClusterState(proto) }
      if let proto = try? ProtoManagerMessage(serializedBytes: bytes) { _ = try? ManagerMessage(proto) }
      if let proto = try? ProtoPortRecall(serializedBytes: bytes) { _ = try? PortRecall(proto) }
      if let proto = try? ProtoReplicaMessage(serializedBytes: bytes) { _ = try? PeerMessage(proto) }
      if let proto = try? ProtoReport(serializedBytes: bytes) { _ = try? Report(proto) }
    }
  }

  @Test func malformedMessagesNameTheField() throws {
    var operation = Operation.apply([
      .service(
        Service(
          name: "a", vip: IPv4Address(1, 2, 3, 4),
          endpoints: [
            Endpoint(
              name: "e", transport: .tcp, port: 80, backendPort: 80, backends: [], idleTimeoutMilliseconds: 1)
          ]))
    ]).proto
    operation.apply.resources[0].service.endpoints[0].port = 65536
    #expect(
      error { try Operation(operation) } == "apply.resources[0].service.endpoints[0].port: 65536 is no port")
    operation.apply.resources[0].service.endpoints[0].port = 80
    operation.apply.resources[0].service.endpoints[0].transport = .UNRECOGNIZED(4)
    #expect(
      error { try Operation(operation) }
        == "apply.resources[0].service.endpoints[0].transport: 4 is unknown to this version")
    operation.apply.resources[0].service.clearVip()
    #expect(error { try Operation(operation) } == "apply.resources[0].service.vip: is missing")
    operation.apply.resources[0].resource = nil
    #expect(
      error { try Operation(operation) }
        == "apply.resources[0].resource: is missing or unknown to this version")
    #expect(error { try Operation(ProtoOperation()) } == "operation: is missing or unknown to this version")
  }

  @Test func malformedPrefixesAreRefused() {
    var prefix = IPv4Prefix(IPv4Address(10, 0, 0, 0), length: 8).proto
    prefix.length = 33
    #expect(error { try IPv4Prefix(prefix) } == "length: 33 is more than 32")
    prefix.length = 4
    #expect(error { try IPv4Prefix(prefix) } == "address: 10.0.0.0 has bits behind length 4")
    #expect(error { try IPv4Prefix(ProtoIPv4Prefix()) } == "address: is missing")
  }

  @Test func malformedUpdatesAreRefused() {
    var update = Update(
      epoch: Epoch(1), revision: Revision(1), isSnapshot: true,
      commands: [.removeMuxEndpoint(EndpointKey(vip: .any, transport: .udp, port: 53))]
    ).proto
    update.commands[0].removeMuxEndpoint.transport = .unspecified
    #expect(error { try Update(update) } == "commands[0].remove_mux_endpoint.transport: is missing")
    update.commands[0].removeHostEndpoint = ProtoHostEndpointKey()
    #expect(error { try Update(update) } == "commands[0].remove_host_endpoint.locator: is missing")
    var status = ServiceStatus(
      service: Service(name: "a", vip: .any, endpoints: []), backends: [], isAnnounced: true
    ).proto
    status.endpoints = [ProtoEndpointBackends()]
    #expect(error { try ServiceStatus(status) } == "endpoints: are 1, but the service has 0")
    var session = BGPSessionStatus(peer: .any, state: "idle", secondsInState: 1, announced: 0).proto
    var epochless = Update(epoch: Epoch(1), revision: Revision(1), isSnapshot: true, commands: []).proto
    epochless.clearEpoch()
    #expect(error { try Update(epochless) } == "epoch: is missing")
    var ring = KeyRing()
    ring.rotate(low: 1, high: 2)
    var keys = ring.proto
    keys.currentID = 7
    #expect(
      error { try KeyRing(keys) } == "keys: are not at most three in order, one of them current")
    session.announced = .max
    #expect(error { try BGPSessionStatus(session) } == "announced: \(UInt64.max) is too large")
  }

  private func error<Value>(_ decode: () throws -> Value) -> String? {
    do {
      _ = try decode()
      return nil
    } catch {
      return (error as? MalformedMessage).map { "\($0.field): \($0.reason)" }
    }
  }
}
