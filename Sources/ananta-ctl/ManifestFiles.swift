import ArgumentParser
import Control
import Foundation
import Manifest

/// The manifests that `-f` names: files, directories, `-` for standard input.
struct ManifestFiles: ParsableArguments {
  @Option(
    name: .customShort("f"),
    help: "A manifest, a directory of *.yaml, or - for standard input; may be repeated.",
    completion: .file())
  var files: [String] = []

  /// Reads all of them; what is wrong is printed, and ends the program with the code.
  func read(code: Int32) throws -> [LocatedResource] {
    var reader = ManifestReader()
    for file in files {
      for (name, text) in try texts(of: file, code: code) { reader.add(text, file: name) }
    }
    do {
      let resources = try reader.finish()
      guard !resources.isEmpty else {
        throw Terminal.fail("no resource in \(files.joined(separator: ", "))", code: code)
      }
      return resources
    } catch let errors as ManifestErrors {
      Terminal.err("\(errors)\n")
      throw ExitCode(code)
    }
  }

  private func texts(of path: String, code: Int32) throws -> [(name: String, text: String)] {
    do {
      if path == "-" { return [("-", try decode(FileHandle.standardInput.readToEnd() ?? Data()))] }
      let attributes = try FileManager.default.attributesOfItem(atPath: path)
      if attributes[.type] as? FileAttributeType == .typeDirectory {
        let names = try FileManager.default.contentsOfDirectory(atPath: path).sorted()
        let manifests = names.filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }
        guard !manifests.isEmpty else {
          throw Terminal.fail("\(path): no *.yaml in this directory", code: code)
        }
        return try manifests.flatMap { try texts(of: "\(path)/\($0)", code: code) }
      }
      return [(path, try decode(Data(contentsOf: URL(fileURLWithPath: path))))]
    } catch let exit as ExitCode {
      throw exit
    } catch is NotText {
      throw Terminal.fail("\(path): is no UTF-8 text", code: code)
    } catch {
      throw Terminal.fail("\(path): \(Self.reason(error))", code: code)
    }
  }

  private struct NotText: Error {}

  private func decode(_ data: Data) throws -> String {
    guard let text = String(data: data, encoding: .utf8) else { throw NotText() }
    return text
  }

  private static func reason(_ error: any Error) -> String {
    guard let error = error as? CocoaError else { return "\(error)" }
    return switch error.code {
    case .fileReadNoSuchFile, .fileNoSuchFile: "no such file or directory"
    case .fileReadNoPermission: "permission denied"
    default: error.localizedDescription
    }
  }
}
