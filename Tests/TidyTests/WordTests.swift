import Foundation
import Testing

/// Words that may stand only where they are expected.
struct WordTests {
  /// Files that may say `unsafe`, each with its reason in its own comments; the list is the audit.
  static func unsafeAllowList() throws -> Set<String> {
    Set(try SourceTree.text("Tests/TidyTests/unsafe-files.txt").split(separator: "\n").map(String.init))
  }

  @Test("unsafe stands only in the files that are listed")
  func unsafeIsListed() throws {
    let allowed = try Self.unsafeAllowList()
    var used: Set<String> = []
    for file in try SourceTree.files(below: "Sources") where !file.isGenerated {
      let lines = file.code.filter { $0.text.contains(#/\bunsafe\b|@safe\b|@unsafe\b/#) }
      guard let first = lines.first else { continue }
      used.insert(file.path)
      #expect(allowed.contains(file.path), "\(file):\(first.number) says unsafe and is not listed")
    }
    #expect(allowed.subtracting(used).isEmpty, "listed without need: \(allowed.subtracting(used).sorted())")
  }

  @Test("libraries do not print")
  func noPrint() throws {
    for file in try SourceTree.files(below: "Sources") where !file.isGenerated {
      for line in file.code where line.text.contains(#/(^|[^.\w])(print|debugPrint|dump)\(/#) {
        Issue.record("\(file):\(line.number) prints")
      }
    }
  }

  @Test("nothing is forced, nothing is left for later")
  func nothingForced() throws {
    for file in try SourceTree.files(below: "Sources") where !file.isGenerated {
      for (index, line) in file.lines.enumerated() {
        #expect(!line.contains("try!"), "\(file):\(index + 1)")
        #expect(!line.contains(#/\b(TODO|FIXME|XXX|HACK)\b/#), "\(file):\(index + 1)")
      }
    }
  }

  @Test("every test file expects something")
  func testsExpect() throws {
    for file in try SourceTree.files(below: "Tests")
    where file.lines.contains(where: { $0.contains("@Test") }) {
      let expects = file.lines.contains { $0.contains(#/#expect|#require|Issue\.record/#) }
      #expect(expects, "\(file) has tests that cannot fail")
    }
  }

  @Test("no machine's path is written down")
  func noMachinePaths() throws {
    for file in try SourceTree.files(below: "Sources") + SourceTree.files(below: "Tests") {
      for (index, line) in file.lines.enumerated() {
        #expect(!line.contains("/" + "work/"), "\(file):\(index + 1)")
        #expect(!line.contains("/" + "root/"), "\(file):\(index + 1)")
      }
    }
  }

  @Test("the README and the architecture page lead to every folder")
  func readmeIsAMap() throws {
    let readme = try SourceTree.text("README.md")
    for folder in try SourceTree.folders(below: "Sources") {
      #expect(readme.contains("Sources/\(folder)"), "README.md does not say what Sources/\(folder) is")
    }
  }
}
