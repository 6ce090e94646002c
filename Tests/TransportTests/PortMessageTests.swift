import Control
import Foundation
import SwiftProtobuf
import Testing
import Wire

@testable import Transport

@Suite struct PortMessageTests {
  private let vip = IPv4Address(203, 0, 113, 10)
  private let locator = IPv4Address(10, 1, 0, 2)

  private func lease(_ port: UInt16 = 1024) throws -> PortLease {
    PortLease(try #require(PortRange(vip: vip, firstPort: port)), to: locator)
  }

  private func error<Value>(_ decode: () throws -> Value) -> String? {
    do {
      _ = try decode()
      return nil
    } catch {
      return (error as? MalformedMessage).map { "\($0.field): \($0.reason)" }
    }
  }

  @Test(arguments: [
    (UInt32(0), "0"), (1016, "1016"), (1025, "1025"), (65_535, "65535"), (65_529, "65529"),
  ])
  func portsThatBeginNoRangeAreRefused(port: UInt32, text: String) throws {
    var range = try lease().range.proto
    range.firstPort = port
    #expect(error { try PortRange(range) } == "first_port: no range of leased ports begins with \(text)")
  }

  @Test func malformedRangesNameTheField() throws {
    let command = Command.leasePortRange(try lease())
    var update = Update(epoch: Epoch(1), revision: Revision(1), isSnapshot: false, commands: [command]).proto
    update.commands[0].leasePortRange.range.firstPort = 65_536
    #expect(error { try Update(update) } == "commands[0].lease_port_range.range.first_port: 65536 is no port")
    update.commands[0].leasePortRange.range.clearVip()
    #expect(error { try Update(update) } == "commands[0].lease_port_range.range.vip: is missing")
    update.commands[0].leasePortRange.clearRange()
    #expect(error { try Update(update) } == "commands[0].lease_port_range.range: is missing")
    update.commands[0].setPortRange = try lease().proto
    update.commands[0].setPortRange.clearLocator()
    #expect(error { try Update(update) } == "commands[0].set_port_range.locator: is missing")
    update.commands[0].removePortRange = ProtoPortRange()
    #expect(error { try Update(update) } == "commands[0].remove_port_range.vip: is missing")
  }

  @Test func malformedReportsNameTheField() throws {
    var report = Report.portsReturned([try lease(), try lease(2048)]).proto
    report.portsReturned.leases[1].range.firstPort = 2049
    #expect(
      error { try Report(report) }
        == "ports_returned.leases[1].range.first_port: no range of leased ports begins with 2049")
    report.portsReturned.leases = Array(
      repeating: try lease().proto, count: Control.Limits.rangesPerReport + 1)
    #expect(error { try Report(report) } == "ports_returned.leases: is of 8193, more than 8192")
    report.portRequest = ProtoPortRequest()
    #expect(error { try Report(report) } == "port_request.locator: is missing")
  }

  @Test func figuresThatNoHostHasAreRefused() {
    let most = PortStatus(
      locator: locator, ranges: 1 << 20, portsInUse: 1 << 23, flows: .max, held: .max, requests: .max,
      refused: .max, dropped: .max, waitMicrosecondsP50: .max, waitMicrosecondsP99: .max)
    var proto = most.proto
    #expect(error { try PortStatus(proto) } == nil)
    proto.ranges = 1 << 61
    #expect(error { try PortStatus(proto) } == "ranges: is 2305843009213693952, more than 1048576")
    proto.ranges = 1
    proto.portsInUse = 1 << 23 + 1
    #expect(error { try PortStatus(proto) } == "ports_in_use: is 8388609, more than 8388608")
  }

  @Test func malformedAnswersNameTheField() {
    var message = ManagerMessage.portRefusal(
      PortRefusal(locator: locator, reason: .cap, retryAfterMilliseconds: 100)
    ).proto
    message.portRefusal.reason = .UNRECOGNIZED(77)
    #expect(error { try ManagerMessage(message) } == "port_refusal.reason: 77 is unknown to this version")
    message.portRefusal.reason = .unspecified
    #expect(error { try ManagerMessage(message) } == "port_refusal.reason: is missing")
    message.message = nil
    #expect(error { try ManagerMessage(message) } == "message: is missing or unknown to this version")
    #expect(error { try PortRecall(ProtoPortRecall()) } == "recall: is missing or unknown to this version")
    var recall = ProtoPortRecall()
    recall.machine = ""
    #expect(error { try PortRecall(recall) } == "machine: is empty")
    recall.range = ProtoPortRange()
    #expect(error { try PortRecall(recall) } == "range.vip: is missing")
  }

  @Test func aServiceFromBeforeHasTheDefaults() throws {
    var proto = Service(name: "web", vip: vip, endpoints: [], snat: ["web-1"]).proto
    proto.clearSnatPortsPerMachine()
    let service = try Service(proto)
    #expect(service.snatPortsPerMachine == Control.Limits.defaultSNATPortsPerMachine)
    #expect(service.snatVIPs == [])
  }

  /// On a thread of its own, since it takes seconds without optimization, and other tests have connections to keep.
  @Test func aStateOf200_000RangesIsOneMessage() async throws {
    let result = await withCheckedContinuation { continuation in
      Thread.detachNewThread { continuation.resume(returning: Result { try self.tripOfManyRanges() }) }
    }
    try result.get()
  }

  private func tripOfManyRanges() throws {
    var commands: [Command] = []
    commands.reserveCapacity(200_000)
    for number in 0..<UInt32(200_000) {
      let vip = IPv4Address(number: self.vip.number + number / 8064)
      let port = UInt16(1024 + (number % 8064) * 8)
      commands.append(
        .setPortRange(
          PortLease(
            try #require(PortRange(vip: vip, firstPort: port)),
            to: IPv4Address(number: 0x0a00_0000 + number / 16))))
    }
    let snapshot = Update(epoch: Epoch(3), revision: Revision(9), isSnapshot: true, commands: commands)
    let octets: [UInt8] = try ManagerMessage.update(snapshot).proto.serializedBytes()
    #expect(octets.count < 5 << 20 && octets.count < Limits.messageBytes / 8)
    let read = try ManagerMessage(ProtoManagerMessage(serializedBytes: octets))
    #expect(read == .update(snapshot))
  }

  @Test func whatANodeKeepsIsReadAgain() throws {
    let update = Update(
      epoch: Epoch(3), revision: Revision(9), isSnapshot: false, commands: [.leasePortRange(try lease())])
    for record in [NodeRecord.update(update), .portsReturned([try lease(), try lease(65_528)])] {
      #expect(try NodeRecord(octets: record.octets) == record)
    }
    #expect(error { try NodeRecord(octets: []) } == "record: is missing or unknown to this version")
    #expect(throws: MalformedMessage.self) { try NodeRecord(octets: [0xff, 0xff]) }
  }
}
