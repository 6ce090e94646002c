import Control
import Foundation
import Manifest
import Presentation
import Testing
import Wire

@Suite struct OutcomeTextTests {
  private let old = VirtualNetwork(name: "blue", prefixes: [IPv4Prefix(IPv4Address(10, 0, 0, 0), length: 24)])
  private let new = VirtualNetwork(name: "blue", prefixes: [IPv4Prefix(IPv4Address(10, 0, 1, 0), length: 24)])
  private let key = ResourceKey(.virtualNetwork, "blue")

  private func outcome(_ changes: [Change]) -> Outcome {
    Outcome(revision: Revision(3), changes: changes, warnings: [], errors: [])
  }

  @Test func changesReadLikeThoseOfKubectl() {
    let changes: [Change.Action] = [.created, .configured, .unchanged, .deleted]
    let outcome = outcome(changes.map { Change(key: key, action: $0, before: nil, after: nil) })
    #expect(
      OutcomeText.changes(outcome, dryRun: false)
        == "network/blue created\nnetwork/blue configured\nnetwork/blue unchanged\nnetwork/blue deleted\n")
    #expect(OutcomeText.changes(outcome, dryRun: true).hasPrefix("network/blue created (dry run)\n"))
  }

  @Test func findingsStandAtTheirLines() throws {
    let text = "kind: VirtualNetwork\nmetadata: {name: blue}\nspec:\n  prefixes: [10.0.0.0/24]\n"
    let resources = try ManifestReader.read(text, file: "blue.yaml")
    let findings = [
      Finding(key: key, path: "spec.prefixes[0]", reason: "overlaps with 10.0.0.0/8"),
      Finding(key: ResourceKey(.service, "web"), path: "spec.vip", reason: "is taken"),
      Finding(key: ResourceKey(.service, "web"), path: "", reason: "is named by others"),
    ]
    #expect(
      OutcomeText.findings(findings, in: resources) == """
        blue.yaml:4:14: spec.prefixes[0]: overlaps with 10.0.0.0/8
        service/web: spec.vip: is taken
        service/web: is named by others

        """)
  }

  @Test func differencesAreUnified() {
    let changes = [
      Change(key: key, action: .configured, before: .virtualNetwork(old), after: .virtualNetwork(new)),
      Change(key: key, action: .unchanged, before: .virtualNetwork(old), after: .virtualNetwork(old)),
      Change(key: key, action: .created, before: nil, after: .virtualNetwork(new)),
    ]
    #expect(
      OutcomeText.difference(outcome(changes)) == """
        --- running/network/blue
        +++ manifest/network/blue
        @@ -3,4 +3,4 @@
           name: blue
         spec:
           prefixes:
        -  - 10.0.0.0/24
        +  - 10.0.1.0/24
        --- /dev/null
        +++ manifest/network/blue
        @@ -0,0 +1,6 @@
        +kind: VirtualNetwork
        +metadata:
        +  name: blue
        +spec:
        +  prefixes:
        +  - 10.0.1.0/24

        """)
  }

  /// `patch` judges: applied to the old text, the difference gives the new one.
  @Test(arguments: UInt64(1)...12) func patchUnderstandsDifferences(seed: UInt64) throws {
    var state = seed
    func pick(_ limit: UInt64) -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (state >> 33) % limit
    }
    let old = (0..<60).map { _ in "line \(pick(12))" }
    var new = old
    for _ in 0..<pick(9) { new.remove(at: Int(pick(UInt64(new.count)))) }
    for _ in 0..<pick(9) { new.insert("new \(pick(5))", at: Int(pick(UInt64(new.count + 1)))) }
    let texts = [old, new].map { $0.map { "\($0)\n" }.joined() }
    let difference = UnifiedDiff.text(from: texts[0], to: texts[1], oldName: "a", newName: "b")
    guard !difference.isEmpty else { return }
    let folder = FileManager.default.temporaryDirectory.appending(path: "ananta-diff-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try texts[0].write(to: folder.appending(path: "a"), atomically: true, encoding: .utf8)
    try difference.write(to: folder.appending(path: "d"), atomically: true, encoding: .utf8)
    let patch = Process()
    patch.executableURL = URL(filePath: "/usr/bin/patch")
    patch.arguments = [
      "--silent", "--fuzz=0", folder.appending(path: "a").path(), folder.appending(path: "d").path(),
    ]
    try patch.run()
    patch.waitUntilExit()
    #expect(patch.terminationStatus == 0)
    #expect(try String(contentsOf: folder.appending(path: "a"), encoding: .utf8) == texts[1])
  }
}
