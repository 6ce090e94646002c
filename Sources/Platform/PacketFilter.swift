internal import CLinux
public import Wire

/// What a packet socket lets in: a classic BPF program, which the kernel runs on every frame before it copies
/// or queues anything.
///
/// The corresponding command is `tcpdump -d`.
public struct PacketFilter: Hashable, Sendable {
  /// One instruction (struct sock_filter).
  struct Instruction: Hashable, Sendable {
    var code: UInt16
    var jumpIfTrue: UInt8 = 0
    var jumpIfFalse: UInt8 = 0
    var constant: UInt32
  }

  /// Instructions, at most BPF_MAXINSNS; the last refuses.
  let instructions: [Instruction]

  /// Nothing at all: what a socket has until somebody is ready for its packets.
  public static let nothing = PacketFilter(tests: [])

  /// Whatever comes.
  public static let everything = PacketFilter(instructions: [.accept])

  /// IPIP packets (RFC 2003) that came by Ethernet for this machine, to an address within the prefix, and of
  /// these the part of one worker: those whose outer destination, as a number, leaves `worker` when divided
  /// by `workers`.
  ///
  /// Frames for other machines are left out, which a switch may flood and a promiscuous device take in. So
  /// are frames with a VLAN's number, which the kernel takes off before a packet socket sees them: they
  /// belong to the VLAN's own device and come again there. A priority tag (VLAN 0) says nothing about whose
  /// they are.
  public static func encapsulated(
    to prefix: IPv4Prefix, worker: Int = 0, of workers: Int = 1
  ) -> PacketFilter {
    precondition(workers > 0 && worker >= 0 && worker < workers, "one of the workers")
    var tests: [[Instruction]] = [
      [.loadHalf(at: 12), .unless(0x0800)],
      [.loadByte(at: 23), .unless(UInt32(IPProtocol.ipip.rawValue))],
      [.loadWord(at: 30), .and(IPv4Prefix.mask(prefix.length)), .unless(prefix.address.number)],
      [.loadWord(at: Self.packetType), .unless(0)],
      [.loadWord(at: Self.vlanTag), .and(0xfff), .unless(0)],
    ]
    if workers > 1 {
      let share: [Instruction] = [
        .loadWord(at: 30), .remainder(UInt32(workers)), .unless(UInt32(worker)),
      ]
      tests.append(share)
    }
    return PacketFilter(tests: tests)
  }

  /// SKF_AD_OFF + SKF_AD_PKTTYPE: PACKET_HOST is 0.
  private static let packetType = UInt32(bitPattern: -0x1000 + 4)
  /// SKF_AD_OFF + SKF_AD_VLAN_TAG: 0 where there was none.
  private static let vlanTag = UInt32(bitPattern: -0x1000 + 44)

  private init(instructions: [Instruction]) { self.instructions = instructions }

  /// Lets in what passes all tests, whole; each test ends in `unless`.
  private init(tests: [[Instruction]]) {
    let body = tests.flatMap(\.self)
    var program = body
    for place in body.indices where body[place].code == Instruction.jumpIfEqual {
      // Over what remains of the tests, and over the instruction that accepts.
      program[place].jumpIfFalse = UInt8(body.count - place)
    }
    if !tests.isEmpty { program.append(.accept) }
    instructions = program + [.refuse]
  }
}

extension PacketFilter.Instruction {
  /// BPF_JMP | BPF_JEQ | BPF_K.
  static let jumpIfEqual: UInt16 = 0x15

  /// BPF_LD | BPF_W | BPF_ABS, from the Ethernet header on.
  static func loadWord(at offset: UInt32) -> Self { Self(code: 0x20, constant: offset) }
  /// BPF_LD | BPF_H | BPF_ABS.
  static func loadHalf(at offset: UInt32) -> Self { Self(code: 0x28, constant: offset) }
  /// BPF_LD | BPF_B | BPF_ABS.
  static func loadByte(at offset: UInt32) -> Self { Self(code: 0x30, constant: offset) }
  /// BPF_ALU | BPF_AND | BPF_K.
  static func and(_ mask: UInt32) -> Self { Self(code: 0x54, constant: mask) }
  /// BPF_ALU | BPF_MOD | BPF_K.
  static func remainder(_ divisor: UInt32) -> Self { Self(code: 0x94, constant: divisor) }
  /// Goes on when equal; whoever assembles the program says how far the other way is.
  static func unless(_ value: UInt32) -> Self { Self(code: jumpIfEqual, constant: value) }
  /// BPF_RET | BPF_K with more bytes than any packet has.
  static let accept = Self(code: 0x06, constant: 0x4_0000)
  /// BPF_RET | BPF_K: not even one byte.
  static let refuse = Self(code: 0x06, constant: 0)
}
