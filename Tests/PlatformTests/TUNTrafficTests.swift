import Glibc
import Platform
import Testing
import Wire

/// Packets between the agent's side of a TUN device and the kernel of the tenant's namespace.
@Suite(.enabled(if: isRoot, "needs root")) struct TUNTrafficTests {
  private let alpha = IPv4Address(10, 9, 0, 1)
  private let beta = IPv4Address(10, 9, 0, 2)

  @Test func anEchoRequestIsAnswered() throws {
    let test = try TestNamespace()
    var device = try TenantDevice(address: alpha).open(in: test.namespace)
    let queue = try device.queue()
    let request = TestPacket.echoRequest(from: beta, to: alpha, identifier: 0xBEEF)
    let written = queue.put(request)
    #expect(written == request.count)

    let answer = try queue.next { $0.count == request.count && $0[10 + 9] == 1 }
    let reply = try #require(answer)
    #expect(Array(reply[22..<26]) == TestPacket.octets(alpha))
    #expect(Array(reply[26..<30]) == TestPacket.octets(beta))
    #expect(reply[30] == 0, "echo reply")
    #expect(Array(reply[34...]) == Array(request[34...]))
    #expect(TestPacket.checksum(reply[10..<30]) == 0)
    #expect(TestPacket.checksum(reply[30...]) == 0)
  }

  @Test func anEmptyQueueWouldBlock() throws {
    let test = try TestNamespace()
    var device = try TUN.open("vm0", in: test.namespace)
    let queue = try device.queue()
    var pool = try FramePool(count: 1)
    guard case .wouldBlock = pool.receive(into: 0, from: queue.handle) else {
      Issue.record("a device that is off has nothing to read")
      return
    }
    // A device that is switched off refuses what is written.
    guard case .failed(let error) = pool.transmit(0, 54..<94, to: queue.handle) else {
      Issue.record("a device that is off took a packet")
      return
    }
    #expect(error.rawValue == EIO || error.rawValue == EINVAL)
  }

  @Test func bulkTCPComesAsSuperPackets() throws {
    let left = try TestNamespace()
    let right = try TestNamespace()
    var leftDevice = try TenantDevice(address: alpha).open(in: left.namespace)
    var rightDevice = try TenantDevice(address: beta).open(in: right.namespace)
    let leftQueue = try leftDevice.queue()
    let rightQueue = try rightDevice.queue()
    let listener = try Socket.listen(port: 5001, in: right.namespace)
    let sender = try TCPConnection.connectNonBlocking(to: beta, port: 5001, in: left.namespace)

    var cable = try Cable()
    let chunk = [UInt8](repeating: 0x5A, count: 200_000)
    var sink = Socket(raw: -1)
    var sent = 0
    var received = 0
    let deadline = MonotonicClock.milliseconds + 10_000
    while received < 4_000_000, MonotonicClock.milliseconds < deadline {
      cable.carry(from: leftQueue, to: rightQueue)
      cable.carry(from: rightQueue, to: leftQueue)
      if sink.raw < 0 { sink = listener.accept() }
      if sent < 4_000_000, sender.progress() == .established,
        case .bytes(let count) = unsafe sender.write(chunk.span.bytes)
      {
        sent += count
      }
      received += sink.drain()
    }
    #expect(received >= 4_000_000)
    let seen = cable.seen
    #expect(seen.largest > 10_000, "largest read \(seen.largest)")
    #expect(seen.gsoType == 1, "VIRTIO_NET_HDR_GSO_TCPV4")
    #expect(seen.refused == 0)
  }

  @Test func flowsSpreadOverTwoQueues() throws {
    let test = try TestNamespace()
    var device = try TenantDevice(address: alpha, queues: 2).open(in: test.namespace)
    let first = try device.queue()
    let second = try device.queue()
    let left = device.queueCount
    #expect(left == 0)
    try Socket.sendDatagrams(to: beta, port: 9, fromPorts: 20_000..<20_128, in: test.namespace)

    var pool = try FramePool(count: 1)
    var counts = [0, 0]
    var sources: Set<UInt16> = []
    func collect(_ queue: borrowing TUNQueue, _ index: Int) {
      while case .bytes(let size) = pool.receive(into: 0, from: queue.handle) {
        guard size > 38, pool.byte(73) == 17 else { continue }
        sources.insert(UInt16(pool.byte(84)) << 8 | UInt16(pool.byte(85)))
        counts[index] += 1
      }
    }
    collect(first, 0)
    collect(second, 1)
    #expect(counts[0] + counts[1] == 128)
    #expect(sources.count == 128)
    #expect(counts.allSatisfy { $0 >= 32 }, "\(counts)")
  }

  @Test func queuesAreUsedFromAWorkerThread() throws {
    let test = try TestNamespace()
    var device = try TenantDevice(address: alpha).open(in: test.namespace)
    let queue = try device.queue()
    let request = TestPacket.echoRequest(from: beta, to: alpha, identifier: 7)
    let box = try Mailbox<Answer>()
    let thread = try WorkerThread.start(named: "plattest-worker", state: queue) { queue in
      _ = queue.put(request)
      let reply = try? queue.next { $0.count == request.count }
      box.post(Answer(byteCount: reply?.count ?? 0))
    }
    thread.join()
    #expect(box.take()?.byteCount == request.count)
  }

  private final class Answer: Sendable {
    let byteCount: Int
    init(byteCount: Int) { self.byteCount = byteCount }
  }
}
