import Platform
import Testing

@Suite(.enabled(if: isRoot, "needs root")) struct TCFilterTests {
  @Test(arguments: TCFilter.Direction.allCases)
  func aFilterIsReplacedInItsPlace(direction: TCFilter.Direction) throws {
    let pair = try VethPair()
    let device = direction == .ingress ? pair.far : pair.near
    let filter = TCFilter(device: device, direction, priority: 7, handle: 42)
    let counting = try CountingPrograms()
    let first = try counting.program(0, .classifier)
    let second = try counting.program(1, .classifier)
    let (none, isNew, one) = try pair.test.namespace.run { () throws(PlatformError) in
      let none = try filter.programID()
      let isNew = try TCFilter.createHook(device: device)
      try filter.attach(first)
      return (none, isNew, try filter.programID())
    }
    #expect(none == nil)
    #expect(isNew)
    #expect(try one == first.info().id)
    pair.send()
    #expect(try counting.count(0) > 0)

    let (isNewAgain, two) = try pair.test.namespace.run { () throws(PlatformError) in
      let isNew = try TCFilter.createHook(device: device)
      try filter.attach(second)
      return (isNew, try filter.programID())
    }
    // What IPv6 sends by itself may have come before the change.
    let before = try counting.count(0)
    #expect(!isNewAgain)
    #expect(try two == second.info().id)
    pair.send()
    #expect(try counting.count(0) == before)
    #expect(try counting.count(1) > 0)
    let name = direction.rawValue
    let shown = try Command.lines(
      "tc", "-n", pair.test.name, "filter", "show", "dev", "v\(direction == .ingress ? 1 : 0)", name)
    #expect(shown.filter { $0.contains("handle 0x2a") }.count == 1)
    #expect(shown.contains { $0.contains("pref 7 bpf") && $0.contains("direct-action") })
  }

  @Test func onlyOneIsRemoved() throws {
    let pair = try VethPair()
    let device = pair.near
    let ours = TCFilter(device: device, .ingress, priority: 7, handle: 42)
    let others = TCFilter(device: device, .egress, priority: 1, handle: 1)
    let program = try CountingPrograms().program(0, .classifier)
    let facts = try pair.test.namespace.run { () throws(PlatformError) in
      _ = try TCFilter.createHook(device: device)
      try ours.attach(program)
      try others.attach(program)
      return [try ours.detach(), try ours.detach(), try others.programID() != nil, try others.detach()]
    }
    #expect(facts == [true, false, true, true])
  }

  @Test func anXDPProgramIsNoClassifier() throws {
    let pair = try VethPair()
    let device = pair.near
    let filter = TCFilter(device: device, .ingress, priority: 1, handle: 1)
    let program = try CountingPrograms().program(0, .xdp)
    let error = try pair.test.namespace.run { () throws(PlatformError) -> PlatformError? in
      _ = try TCFilter.createHook(device: device)
      do throws(PlatformError) {
        try filter.attach(program)
        return nil
      } catch {
        return error
      }
    }
    #expect(try #require(error).reason == .invalid)
    #expect("\(try #require(error))".contains("tc ingress of device number \(device), priority 1"))
  }
}
