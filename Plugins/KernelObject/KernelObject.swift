import Foundation
import PackagePlugin

/// Compiles the programs that run inside the kernel, as a step of `swift build`, and embeds them in the module that uses
/// this plugin. What is wrong with them is reported at the line of their Swift source.
@main struct KernelObject: BuildToolPlugin {
  /// The modules whose hot part runs in the kernel, and the entry points.
  static let modules = ["Wire", "Dataplane", "Mux", "HostAgent", "Kernel"]

  func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
    let sources = context.package.directoryURL.appending(path: "Sources")
    let script = sources.appending(path: "Kernel/build.sh")
    let output = context.pluginWorkDirectoryURL
    var inputs = [script]
    for module in Self.modules {
      let folder = sources.appending(path: module)
      guard let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil) else { continue }
      for case let file as URL in files where ["swift", "h", "modulemap"].contains(file.pathExtension) {
        inputs.append(file)
      }
    }
    return [
      .buildCommand(
        displayName: "Compiling the kernel's programs", executable: URL(filePath: "/bin/bash"),
        arguments: [script.path, sources.path, output.path],
        inputFiles: inputs.sorted { $0.path < $1.path },
        outputFiles: [output.appending(path: "KernelObject.swift")])
    ]
  }
}
