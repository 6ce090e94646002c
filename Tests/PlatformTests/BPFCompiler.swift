import Foundation

/// Objects for the tests, compiled from C by the toolchain's clang.
enum BPFCompiler {
  struct Failure: Error {
    let message: String
  }

  /// What every source begins with; a map is a symbol that nobody defines.
  private static let prologue = """
    typedef unsigned char u8;
    typedef unsigned int u32;
    typedef unsigned long long u64;
    struct xdp_md { u32 data, data_end, data_meta, ingress_ifindex, rx_queue_index, egress_ifindex; };
    static void *(*const lookup)(void *map, const void *key) = (void *)1;
    #define program(place) __attribute__((section(place), used))
    #define separate __attribute__((noinline))
    #define byte(context, n) ((u8 *)(long)(context)->data)[n]
    #define has(context, n) ((u8 *)(long)(context)->data + (n) <= (u8 *)(long)(context)->data_end)

    """

  /// The bytes of an ELF object.
  static func object(_ source: String) throws -> [UInt8] {
    let folder = FileManager.default.temporaryDirectory.appending(path: "bpf-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let input = folder.appending(path: "input.c")
    let output = folder.appending(path: "output.o")
    try (prologue + source).write(to: input, atomically: true, encoding: .utf8)
    let process = Process()
    let errors = Pipe()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments =
      ["clang", "-target", "bpfel", "-mcpu=v3", "-O2", "-c", input.path, "-o", output.path]
    process.standardError = errors
    try process.run()
    let message = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Failure(message: String(decoding: message, as: UTF8.self))
    }
    return Array(try Data(contentsOf: output))
  }

  /// Counts packets by their first byte, with functions in three sections and constants in between.
  static let counting = """
    extern char counters, weights;
    static const u32 factors[4] = {3, 5, 7, 11};
    separate static u32 factor(u32 index) { return factors[index & 3]; }
    separate u32 twice(u32 value) { return factor(value) * 2; }
    program("xdp") int count(struct xdp_md *context) {
      if (!has(context, 14)) return 0;
      u32 key = byte(context, 0);
      u64 *value = lookup(&counters, &key);
      if (value) ++*value;
      return twice(key);
    }
    program("xdp/other") int other(struct xdp_md *context) {
      u32 key = 0;
      u64 *value = lookup(&weights, &key);
      return value ? *value : twice(1) + twice(2);
    }
    """
}
