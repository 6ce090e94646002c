import Control
import Wire

@testable import ananta_agent

/// Updates about few ranges of few VMs, drawn from a seed, so that the same ones come again and again.
struct PortScript {
  private var state: UInt64
  private(set) var revision: UInt64 = 1

  init(seed: UInt64) { state = seed }

  mutating func pick(_ count: UInt64) -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return (state >> 33) % count
  }

  mutating func lease() -> PortLease {
    PortScript.lease(Int(pick(12)), of: UInt8(1 + pick(3)))
  }

  static func lease(_ number: Int, of machine: UInt8) -> PortLease {
    let vip = IPv4Address(203, 0, 113, UInt8(10 + number % 2))
    guard let range = PortRange(vip: vip, firstPort: UInt16(1024 + 8 * (number / 2))) else {
      preconditionFailure("a multiple of eight")
    }
    return PortLease(range, to: IPv4Address(10, 1, 0, machine))
  }

  mutating func command() -> Command {
    let lease = lease()
    switch pick(5) {
    case 0: return .setPortRange(lease)
    case 1: return .removePortRange(lease.range)
    case 2: return .recallPortRange(lease)
    case 3: return .endPortRange(lease)
    default: return .leasePortRange(lease)
    }
  }

  mutating func update() -> Update {
    revision += pick(2)
    let commands = (0..<1 + pick(3)).map { _ in command() }
    return Update(epoch: Epoch(1), revision: Revision(revision), isSnapshot: false, commands: commands)
  }
}
