import Foundation
import Testing

@testable import Platform

@Suite(.enabled(if: isRoot, "needs root")) struct BPFFilesystemTests {
  @Test func mapsAndProgramsOutliveTheirDescriptors() throws {
    let place = try BPFPlace()
    let (mapPath, programPath) = (try place.filesystem.path("map"), try place.filesystem.path("program"))
    do {
      let map = try BPFMapTests.hash()
      try map.update(BPFMapTests.endpoint(1), to: UInt64(11))
      try map.pin(at: mapPath)
      try BPFProgram.load(BPFCode("pinned", [.move(0, 9), .exit]), .xdp).pin(at: programPath)
    }
    #expect(try place.filesystem.names() == ["map", "program"])
    let again = try BPFFilesystem.open(place.filesystem.directory)
    #expect(try again.names() == ["map", "program"])
    let definition = BPFMapDefinition("endpoints", .hash, keySize: 8, valueSize: 8, maxEntries: 16)
    let value = try BPFMap.open(pinned: try again.path("map"), definition)?
      .value(of: BPFMapTests.endpoint(1), as: UInt64.self)
    #expect(value == 11)
    let result = try BPFProgram.open(pinned: try again.path("program"), .xdp)?
      .testRun(BPFProgramTests.packet).returnValue
    #expect(result == 9)
  }

  @Test func aNamePassesToAnotherInOneStep() throws {
    let place = try BPFPlace()
    let path = try place.filesystem.path("map")
    let old = try BPFMapTests.hash()
    let new = try BPFMapTests.hash()
    try old.pin(at: path)
    let error = try #require(throws: PlatformError.self) { try new.pin(at: path) }
    #expect(error.reason == .exists)
    try new.pin(at: path, replacing: true)
    #expect(try BPFMap.open(pinned: path, new.definition)?.id() == new.id())
    #expect(try place.filesystem.names() == ["map"])
    #expect(try place.filesystem.remove("map"))
    #expect(try !place.filesystem.remove("map"))
    #expect(try BPFMap.open(pinned: path, new.definition) == nil)
  }

  @Test func somethingElseUnderTheNameIsNotTaken() throws {
    let place = try BPFPlace()
    let path = try place.filesystem.path("thing")
    let map = try BPFMapTests.hash()
    try map.pin(at: path)
    let other = BPFMapDefinition("endpoints", .hash, keySize: 8, valueSize: 4, maxEntries: 16)
    let shape = try #require(throws: PlatformError.self) { _ = try BPFMap.open(pinned: path, other) }
    #expect(shape.reason == .invalid)
    #expect("\(shape)".contains("wanted is hash, keys of 8 bytes, values of 4 bytes"), "\(shape)")
    let kind = try #require(throws: PlatformError.self) { _ = try BPFProgram.open(pinned: path, .xdp) }
    #expect(kind.reason == .invalid)
    #expect(throws: PlatformError.self) { _ = try XDPLink.open(pinned: path) }
    try BPFProgram.load(BPFCode("pinned", [.move(0, 9), .exit]), .xdp).pin(at: path, replacing: true)
    #expect(throws: PlatformError.self) { _ = try BPFProgram.open(pinned: path, .classifier) }
  }

  @Test func mountingTwiceIsMountingOnce() throws {
    let place = try BPFPlace()
    let again = try BPFFilesystem.open(place.mountPoint + "/node/two", mountingAt: place.mountPoint)
    #expect(try again.names() == [])
    let mounts = BPFPlace.everywhere.flatMap { (try? Command.lines($0 + ["cat", "/proc/mounts"])) ?? [] }
    #expect(Set(mounts.filter { $0.contains(place.mountPoint) }).count == 1)
    let isLasting = again.isLasting
    #expect(isLasting)
    let other = try BPFFilesystem.open(place.mountPoint)
    #expect(try other.names() == ["node"])
  }

  /// As an agent below `ip netns exec` works, whose own mounts vanish with it.
  @Test func anotherProcesssMountsServeThroughTheDescriptor() throws {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["unshare", "-m", "sleep", "60"]
    try process.run()
    defer {
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
    }
    let id = process.processIdentifier
    let mine = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/mnt")
    while try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(id)/ns/mnt") == mine {
      usleep(1_000)
    }
    let mountPoint = "/run/plattest-bpf-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: mountPoint) }
    let map = try BPFMapTests.hash()
    do {
      let place = try BPFFilesystem.open(mountPoint + "/node", mountPoint: mountPoint, mountsOf: id)
      let isLasting = place.isLasting
      #expect(isLasting)
      try map.pin(at: try place.path("map"))
    }
    #expect(throws: PlatformError.self) {
      _ = try BPFFilesystem.open(mountPoint + "/node", mountPoint: nil, mountsOf: getpid())
    }
    let again = try BPFFilesystem.open(mountPoint + "/node", mountPoint: nil, mountsOf: id)
    #expect(try BPFMap.open(pinned: try again.path("map"), map.definition)?.id() == map.id())
  }

  @Test func aDirectoryWithoutBpffsIsRefused() throws {
    let error = try #require(throws: PlatformError.self) {
      _ = try BPFFilesystem.open("/run/plattest-nothing/a")
    }
    #expect(error.reason == .missing)
    #expect("\(error)".contains("mount -t bpf bpf /sys/fs/bpf"))
    #expect(throws: PlatformError.self) { _ = try BPFFilesystem.open("run/relative") }
    #expect(throws: PlatformError.self) { _ = try BPFFilesystem.open("/run/a", mountingAt: "/run/b") }
    #expect(throws: PlatformError.self) { _ = try BPFFilesystem.open("/run/../a", mountingAt: "/run") }
  }

  @Test(arguments: ["", "a/b", "a.b", "..", String(repeating: "x", count: 256)])
  func namesThatCannotBeAreRefused(name: String) throws {
    let place = try BPFPlace()
    let error = try #require(throws: PlatformError.self) { _ = try place.filesystem.path(name) }
    #expect(error.reason == .invalid)
  }
}
