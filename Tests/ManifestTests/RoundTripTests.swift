import Control
import Foundation
import Manifest
import Testing

@Suite struct RoundTripTests {
  @Test(arguments: UInt64(0)..<40) func whatIsWrittenIsReadAgain(seed: UInt64) throws {
    var random = RandomResources(seed: seed)
    for _ in 0..<25 {
      let resource = random.resource()
      let text = ManifestWriter.text(resource)
      #expect(try ManifestReader.read(text, file: "f").map(\.resource) == [resource], "\(text)")
    }
  }

  @Test func severalDocumentsAreReadAgain() throws {
    var random = RandomResources(seed: 99)
    var resources: [Resource] = []
    for _ in 0..<50 {
      let resource = random.resource()
      if !resources.contains(where: { $0.key == resource.key }) { resources.append(resource) }
    }
    let text = ManifestWriter.text(resources)
    #expect(try ManifestReader.read(text, file: "f").map(\.resource) == resources)
  }

  /// JSON is read by Foundation, so that it is JSON and not only what we take for it.
  @Test(arguments: UInt64(0)..<10) func jsonSaysTheSame(seed: UInt64) throws {
    var random = RandomResources(seed: seed)
    let value = StructuredValue.fields(
      ("resource", ManifestWriter.value(random.resource())), ("odd", .text("\u{1F600}\"\\\n\t\u{7f}ü")),
      ("nothing", .null), ("many", .counter(.max)), ("none", .list([])), ("empty", .mapping([])))
    let object = try JSONSerialization.jsonObject(with: Data(value.json.utf8)) as? [String: Any]
    #expect(object?["odd"] as? String == "\u{1F600}\"\\\n\t\u{7f}ü")
    #expect(object?["many"] as? UInt64 == .max)
    #expect((object?["resource"] as? [String: Any])?.keys.sorted() == ["kind", "metadata", "spec"])
  }

  @Test func aServiceAsItIsWritten() throws {
    let text = """
      kind: Service
      metadata:
        name: blue
      spec:
        vip: 203.0.113.10
        endpoints:
        - name: http
          protocol: tcp
          port: 80
          backendPort: 8080
          affinity: fiveTuple
          idleTimeout: 4m
          backends:
          - vm: blue-1
            weight: 1
          probe:
            http:
              path: /healthz
            port: 8080
            interval: 2s
            timeout: 1s
            threshold: 2
        snat:
        - blue-1
        snatVIPs:
        - 203.0.113.11
        snatPortsPerMachine: 16000
        fastPath: false

      """
    let resources = try ManifestReader.read(text, file: "f").map(\.resource)
    #expect(ManifestWriter.text(resources) == text)
  }

  /// Bytes and pieces of YAML at random places: an error or resources, never a crash.
  @Test(arguments: UInt64(0)..<8) func mutatedYAMLNeverCrashes(seed: UInt64) {
    var random = RandomResources(seed: seed)
    let pieces = [
      "&a ", "*a", "!!str ", "? ", "- ", ": ", "[", "]", "{", "}", "|\n", ">\n", "\"", "'", "#", "---\n",
      "...\n",
      "%YAML 1.2\n", "<<: ", "\t", "\u{0}", "\u{85}", "\u{FEFF}", "\u{1F600}", "\r", "null", ",",
    ]
    var text = ManifestWriter.text((0..<3).map { _ in random.resource() })
    for round in 0..<160 {
      if round % 40 == 0 { text = ManifestWriter.text((0..<3).map { _ in random.resource() }) }
      var scalars = Array(text.unicodeScalars)
      let place = random.pick(0...max(0, scalars.count - 1))
      switch random.pick(0...2) {
      case 0:
        scalars.insert(contentsOf: pieces[random.pick(0...(pieces.count - 1))].unicodeScalars, at: place)
      case 1: scalars.removeSubrange(place..<min(scalars.count, place + random.pick(0...20)))
      default:
        scalars.insert(
          contentsOf: scalars[place..<min(scalars.count, place + random.pick(0...60))], at: place)
      }
      text = String(String.UnicodeScalarView(scalars))
      do {
        for resource in try ManifestReader.read(text, file: "f") { _ = resource.position(of: "spec.vip") }
      } catch {
        #expect(!error.errors.isEmpty)
      }
      _ = try? AgentConfiguration.read(text, file: "f")
    }
  }
}
