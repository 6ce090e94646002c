import Platform
import Testing

@Suite(.enabled(if: isRoot, "needs root")) struct XDPLinkTests {
  @Test(arguments: XDPMode.allCases)
  func aProgramMeetsThePacketsOfADevice(mode: XDPMode) throws {
    let pair = try VethPair()
    let device = pair.far
    let counting = try CountingPrograms()
    let program = try counting.program(0, .xdp)
    let link = try pair.test.namespace.run { () throws(PlatformError) in
      try XDPLink.attach(program, device: device, mode: mode)
    }
    pair.send()
    #expect(try counting.count(0) > 0)
    let status = try pair.test.namespace.run { () throws(PlatformError) in try XDPStatus.query(device: device)
    }
    let id = try program.info().id
    #expect(status.native == (mode == .native ? id : nil))
    #expect(status.generic == (mode == .generic ? id : nil))
    #expect(try link.info().device == device)
    #expect(try link.info().programID == id)
  }

  @Test func anotherProgramTakesThePlaceAtOnce() throws {
    let pair = try VethPair()
    let device = pair.far
    let counting = try CountingPrograms()
    let first = try counting.program(0, .xdp)
    let second = try counting.program(1, .xdp)
    let link = try pair.test.namespace.run { () throws(PlatformError) in
      try XDPLink.attach(first, device: device, mode: .native)
    }
    try link.update(to: second)
    let before = try counting.count(0)
    pair.send()
    #expect(try counting.count(0) == before)
    #expect(try counting.count(1) > 0)
    #expect(try link.info().programID == second.info().id)
  }

  @Test func theProgramGoesWithItsLinkUnlessThatIsPinned() throws {
    let pair = try VethPair()
    let device = pair.far
    let place = try BPFPlace()
    let path = try place.filesystem.path("link")
    do {
      let program = try CountingPrograms().program(0, .xdp)
      try pair.test.namespace.run { () throws(PlatformError) in
        _ = try XDPLink.attach(program, device: device, mode: .native)
        let nothing = try XDPStatus.query(device: device)
        guard nothing.native == nil else { throw PlatformError("expect", "no program", Errno(rawValue: 1)) }
        try XDPLink.attach(program, device: device, mode: .native).pin(at: path)
      }
    }
    let status = try pair.test.namespace.run { () throws(PlatformError) in try XDPStatus.query(device: device)
    }
    let opened = try XDPLink.open(pinned: path)
    let info = try #require(try opened?.info())
    #expect(status.native == info.programID)
    #expect(info.device == device)

    try opened?.detach()
    #expect(try opened?.info().device == nil)
    let after = try pair.test.namespace.run { () throws(PlatformError) in try XDPStatus.query(device: device)
    }
    #expect(after.native == nil && after.generic == nil)
    #expect(try place.filesystem.remove("link"))
    #expect(try XDPLink.open(pinned: path) == nil)
  }

  @Test func aLinkOutlivesItsDeviceAsAnEmptyShell() throws {
    let pair = try VethPair()
    let device = pair.far
    let program = try CountingPrograms().program(0, .xdp)
    let link = try pair.test.namespace.run { () throws(PlatformError) in
      try XDPLink.attach(program, device: device, mode: .generic)
    }
    try Command.change(in: pair.test.name, "link", "del", "v0")
    #expect(try link.info().device == nil)
  }

  @Test func aRefusalSaysWhatElseCanBeDone() throws {
    let pair = try VethPair()
    let device = pair.far
    let program = try CountingPrograms().program(0, .xdp)
    let link = try pair.test.namespace.run { () throws(PlatformError) in
      try XDPLink.attach(program, device: device, mode: .native)
    }
    let taken = try refusal(pair, program, device, .native)
    #expect(taken.reason == .deviceTaken)
    #expect("\(taken)".contains("xdp off"))
    try link.detach()
    let lo = try refusal(pair, program, 1, .native)
    #expect(lo.reason == .unsupported)
    #expect("\(lo)".contains("generic mode"))
    #expect(try refusal(pair, program, 999, .generic).reason != .unsupported)
  }

  private func refusal(
    _ pair: borrowing VethPair, _ program: borrowing BPFProgram, _ device: Int32, _ mode: XDPMode
  ) throws -> PlatformError {
    let error = try pair.test.namespace.run { () throws(PlatformError) -> PlatformError? in
      do throws(PlatformError) {
        _ = try XDPLink.attach(program, device: device, mode: mode)
        return nil
      } catch {
        return error
      }
    }
    return try #require(error)
  }
}
