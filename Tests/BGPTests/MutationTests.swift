import BGP
import Testing
import Wire

/// Good messages, spoilt: nothing crashes, and every refusal is a NOTIFICATION of the registry.
@Suite struct MutationTests {
  static let seeds: [UInt64] = [1, 2, 3, 4]
  static let roundsPerSeed = 60_000

  @Test("mutated bodies", arguments: seeds)
  func bodies(_ seed: UInt64) {
    var random = SplitMix(seed: seed)
    var refused = 0
    let bodies = MessageTests.messages.map { message in
      (message.type, Array(message.octets(fourOctetAS: true).dropFirst(Limits.headerLength)))
    }
    for _ in 0..<Self.roundsPerSeed {
      let (type, original) = bodies[Int.random(in: 0..<bodies.count, using: &random)]
      let body = Array(Self.mutated(original, &random).prefix(Limits.maximumMessageLength - Limits.headerLength))
      let rules = UpdateRules(
        fourOctetAS: Bool.random(using: &random), isInternal: Bool.random(using: &random))
      do throws(MessageError) {
        let decoded = try Message.decode(RawMessage(type: type, body: body), rules: rules)
        for fault in decoded.faults { check(fault.error) }
      } catch {
        refused += 1
        check(error)
      }
    }
    #expect(refused > Self.roundsPerSeed / 10, "mutations that are never refused test nothing")
  }

  @Test("mutated streams through a session", arguments: seeds)
  func streams(_ seed: UInt64) {
    var random = SplitMix(seed: seed ^ 0xb69)
    let good = [Message.open(Peer.open), .keepalive] + MessageTests.messages
    var stream: [UInt8] = []
    for message in good { stream += message.octets(fourOctetAS: true) }
    var ends: Set<String> = []
    for _ in 0..<3000 {
      var session = Peer.session(in: .openSent)
      let octets = Self.mutated(stream, &random)
      var rest = octets[...]
      while !rest.isEmpty {
        let chunk = rest.prefix(Int.random(in: 1...3000, using: &random))
        rest = rest.dropFirst(chunk.count)
        let effects = session.handle(.received(Array(chunk)))
        for case .notification(let notification) in Peer.sent(effects) {
          check(notification)
          ends.insert("\(notification.code)/\(notification.subcode)")
        }
        if effects.contains(.close) { #expect(session.state == .idle) }
      }
    }
    #expect(ends.count > 5, "only \(ends)")
  }

  private func check(_ error: MessageError) {
    #expect(!error.reason.isEmpty)
    check(error.notification)
  }

  /// Code and subcode are in the registry, and the message fits.
  private func check(_ notification: NotificationMessage) {
    guard let code = ErrorCode(rawValue: notification.code) else {
      Issue.record("error code \(notification.code)")
      return
    }
    // One check per message: hundreds of thousands of expectations would take longer than the mutations.
    let isKnown = Int(notification.subcode) < code.subcodeNames.count
    let fits = notification.data.count <= Limits.maximumMessageLength - 21
    if !isKnown || !fits { Issue.record("\(notification), \(notification.data.count) octets of data") }
  }

  /// One to four of: an octet changed, a bit flipped, a run cut out, put in or repeated, the end cut off.
  private static func mutated(_ original: [UInt8], _ random: inout SplitMix) -> [UInt8] {
    var octets = original
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      let position = Int.random(in: 0...octets.count, using: &random)
      let run = min(Int.random(in: 1...8, using: &random), octets.count - position)
      switch Int.random(in: 0..<6, using: &random) {
      case 0 where run > 0: octets[position] = UInt8.random(in: 0...255, using: &random)
      case 1 where run > 0: octets[position] ^= 1 << UInt8.random(in: 0...7, using: &random)
      case 2: octets.removeSubrange(position..<position + run)
      case 3: octets.insert(contentsOf: octets[position..<position + run], at: position)
      case 4: octets.insert(UInt8.random(in: 0...255, using: &random), at: position)
      default: octets.removeSubrange(position...)
      }
    }
    return octets
  }
}
