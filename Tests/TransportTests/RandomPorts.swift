import Control
import Wire

extension RandomValues {
  mutating func range() -> PortRange {
    while true {
      if let range = PortRange(vip: address(), holding: port()) { return range }
    }
  }

  mutating func lease() -> PortLease { PortLease(range(), to: address()) }

  mutating func portStatus() -> PortStatus {
    PortStatus(
      locator: address(), ranges: pick(1 << 20 + 1), portsInUse: pick(1 << 23 + 1), flows: count(),
      held: count(), requests: number(), refused: number(), dropped: number(), waitMicrosecondsP50: number(),
      waitMicrosecondsP99: number())
  }

  mutating func portPoolStatus() -> PortPoolStatus {
    PortPoolStatus(
      vip: address(), service: text(), capacity: count(), free: count(), orphaned: count(),
      holdings: list {
        PortPoolStatus.Holding(
          machine: $0.text(), locator: $0.address(), ranges: $0.count(), recalled: $0.count())
      })
  }

  mutating func managerMessage() -> ManagerMessage {
    flip()
      ? .update(update())
      : .portRefusal(
        PortRefusal(
          locator: address(), reason: one(of: PortRefusal.Reason.allCases),
          retryAfterMilliseconds: UInt32(truncatingIfNeeded: number())))
  }

  mutating func recall() -> PortRecall {
    switch pick(3) {
    case 0: .machine("web-1")
    case 1: .range(range())
    default: .vip(address())
    }
  }
}
