import Testing

/// The rules between rooms (`docs/architecture.md`): who may know whom, and what the core may not know.
struct ArrowTests {
  /// Our modules, and which of our modules each may import.
  static let arrows: [String: Set<String>] = [
    "Wire": [],
    "Dataplane": ["Wire"],
    "Control": ["Wire"],
    "BGP": ["Wire"],
    "Mux": ["Wire", "Dataplane"],
    "HostAgent": ["Wire", "Dataplane"],
    "Paxos": [],
    "SEDA": [],
    "Manager": ["Wire", "Control"],
    "Simulator": ["Wire", "Dataplane", "HostAgent", "Control", "Paxos", "SEDA", "Manager"],
    "CBPF": [],
    "CLinux": [],
    "CNetlink": [],
    "Platform": ["Wire", "CBPF", "CLinux", "CNetlink"],
    "Kernel": ["Wire", "Dataplane", "Mux", "HostAgent"],
    "KernelPath": ["Wire", "Dataplane", "Platform"],
    "Speaker": ["Wire", "BGP", "CLinux"],
    "Replication": ["Wire", "Control", "Paxos", "Manager"],
    "Management": ["Wire", "Control", "SEDA", "Manager"],
    "Storage": ["Paxos", "Replication"],
    "PKI": ["Wire", "Control"],
    "Transport": ["Wire", "Control", "Paxos", "PKI", "Replication"],
    "Manifest": ["Wire", "Control"],
    "Presentation": ["Wire", "Control", "Manifest"],
    "Lab": ["Wire", "Control"],
    "ananta-agent": [
      "Wire", "Dataplane", "Control", "Mux", "HostAgent", "Platform", "KernelPath", "Speaker", "Management",
      "Replication", "Storage", "Transport", "Manifest",
    ],
    "ananta-ctl": ["Wire", "Control", "Manifest", "PKI", "Presentation", "Transport"],
    "ananta-lab": ["Wire", "Lab", "Control", "Transport"],
    "ananta-sim": ["Simulator"],
    "ananta-bench": ["Wire", "Dataplane", "Mux", "HostAgent", "KernelPath", "Platform"],
  ]

  static let core = [
    "Wire", "Dataplane", "Control", "BGP", "Mux", "HostAgent", "Paxos", "SEDA", "Manager", "Simulator",
  ]

  /// What brings the kernel, time, chance or threads with it.
  static let shellModules: Set<String> = [
    "Foundation", "FoundationEssentials", "Glibc", "Dispatch", "System", "SystemPackage", "NIOCore",
    "NIOPosix",
    "Logging", "Subprocess",
  ]

  static let shellWords = [
    "ContinuousClock", "SuspendingClock", "SystemRandomNumberGenerator", ".random(in", "Mutex<", "Task {",
    "Task.sleep", "Thread(", "pthread_",
  ]

  @Test("every folder below Sources has its arrows, and no arrow names a folder that is not there")
  func everyModuleIsKnown() throws {
    #expect(Set(try SourceTree.folders(below: "Sources")) == Set(Self.arrows.keys))
  }

  @Test("a module imports only the modules its arrows allow", arguments: arrows.keys.sorted())
  func arrowsHold(module: String) throws {
    let ours = Set(Self.arrows.keys)
    let allowed = Self.arrows[module, default: []]
    for file in try SourceTree.files(below: "Sources/" + module) {
      let forbidden = file.imports.intersection(ours).subtracting(allowed)
      #expect(forbidden.isEmpty, "\(file) imports \(forbidden.sorted())")
    }
  }

  @Test("the core imports nothing that touches the kernel", arguments: core)
  func coreIsPure(module: String) throws {
    let files = try SourceTree.files(below: "Sources/" + module)
    #expect(!files.isEmpty)
    for file in files {
      #expect(file.imports.isDisjoint(with: Self.shellModules), "\(file) imports \(file.imports.sorted())")
      for line in file.code {
        for word in Self.shellWords where line.text.contains(word) {
          Issue.record("\(file):\(line.number) uses \(word), which belongs to the shell")
        }
      }
    }
  }

  @Test("no module has a name that says nothing")
  func namesSayWhatIsInside() throws {
    for folder in try SourceTree.folders(below: "Sources") {
      #expect(!["Common", "Utils", "Utilities", "Core", "Extensions", "Helpers"].contains(folder))
    }
    for file in try SourceTree.files(below: "Sources") where !file.isGenerated {
      #expect(!file.path.contains("+"), "\(file): a file is named for the one type it holds")
    }
  }
}
