import Platform
import Testing

@Suite(.enabled(if: isRoot, "needs root")) struct XDPLinkTests {
  /// The program in the driver of the pair's far end, as `ip` shows it.
  private func attached(_ pair: borrowing VethPair) throws -> Int? {
    let shown = try Command.ip(in: pair.test.name, "link", "show", "dev", "v1").first
    guard let xdp = shown?["xdp"] as? [String: Any], xdp["mode"] as? Int == 1 else { return nil }
    return (xdp["prog"] as? [String: Any])?["id"] as? Int
  }

  @Test func aProgramMeetsThePacketsOfADevice() throws {
    let pair = try VethPair()
    let device = pair.far
    let counting = try CountingPrograms()
    let program = try counting.program(0, .xdp)
    let link = try pair.test.namespace.run { () throws(PlatformError) in
      try XDPLink.attach(program, device: device)
    }
    pair.send()
    #expect(try counting.count(0) > 0)
    #expect(try attached(pair) == Int(program.info().id))
    #expect(try link.info().device == device)
    #expect(try link.info().programID == program.info().id)
  }

  @Test func anotherProgramTakesThePlaceAtOnce() throws {
    let pair = try VethPair()
    let device = pair.far
    let counting = try CountingPrograms()
    let first = try counting.program(0, .xdp)
    let second = try counting.program(1, .xdp)
    let link = try pair.test.namespace.run { () throws(PlatformError) in
      try XDPLink.attach(first, device: device)
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
        _ = try XDPLink.attach(program, device: device)
      }
      #expect(try attached(pair) == nil)
      try pair.test.namespace.run { () throws(PlatformError) in
        try XDPLink.attach(program, device: device).pin(at: path)
      }
    }
    let opened = try XDPLink.open(pinned: path)
    let info = try #require(try opened?.info())
    #expect(try attached(pair) == Int(info.programID))
    #expect(info.device == device)

    try opened?.detach()
    #expect(try opened?.info().device == nil)
    #expect(try attached(pair) == nil)
    #expect(try place.filesystem.remove("link"))
    #expect(try XDPLink.open(pinned: path) == nil)
  }

  @Test func aLinkOutlivesItsDeviceAsAnEmptyShell() throws {
    let pair = try VethPair()
    let device = pair.far
    let program = try CountingPrograms().program(0, .xdp)
    let link = try pair.test.namespace.run { () throws(PlatformError) in
      try XDPLink.attach(program, device: device)
    }
    try Command.change(in: pair.test.name, "link", "del", "v0")
    #expect(try link.info().device == nil)
  }

  @Test func aRefusalSaysWhatElseCanBeDone() throws {
    let pair = try VethPair()
    let device = pair.far
    let program = try CountingPrograms().program(0, .xdp)
    let link = try pair.test.namespace.run { () throws(PlatformError) in
      try XDPLink.attach(program, device: device)
    }
    let taken = try refusal(pair, program, device)
    #expect(taken.reason == .deviceTaken)
    #expect("\(taken)".contains("xdp off"))
    try link.detach()
    let lo = try refusal(pair, program, 1)
    #expect(lo.reason == .unsupported)
    #expect("\(lo)".contains("use tc"))
    #expect(try refusal(pair, program, 999).reason != .unsupported)
  }

  private func refusal(
    _ pair: borrowing VethPair, _ program: borrowing BPFProgram, _ device: Int32
  ) throws -> PlatformError {
    let error = try pair.test.namespace.run { () throws(PlatformError) -> PlatformError? in
      do throws(PlatformError) {
        _ = try XDPLink.attach(program, device: device)
        return nil
      } catch {
        return error
      }
    }
    return try #require(error)
  }
}
