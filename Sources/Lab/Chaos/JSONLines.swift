import Foundation
import Synchronization

/// A file of JSON values, one a line, appended to by several tasks.
public final class JSONLines: Sendable {
  private let handle: Mutex<FileHandle>

  /// Opens a file for appending, and makes it if it is not there.
  public init(appendingTo path: String) throws(LabError) {
    if !FileManager.default.fileExists(atPath: path) {
      _ = FileManager.default.createFile(atPath: path, contents: nil)
    }
    guard let handle = FileHandle(forWritingAtPath: path) else {
      throw LabError(.state, "\(path) cannot be written.")
    }
    _ = try? handle.seekToEnd()
    self.handle = Mutex(handle)
  }

  /// Appends a value in one write.
  public func append(_ value: some Encodable & Sendable) throws(LabError) {
    try append([value])
  }

  /// Appends values in one write.
  public func append(_ values: [some Encodable & Sendable]) throws(LabError) {
    do {
      var text = Data()
      for value in values {
        text += try JSONEncoder().encode(value)
        text.append(UInt8(ascii: "\n"))
      }
      let whole = text
      try handle.withLock { try $0.write(contentsOf: whole) }
    } catch {
      throw LabError(.state, "A history cannot be written: \(error).")
    }
  }

  /// The values of a file; `tail` bounds the octets that are read, from its end.
  static func read<Value: Decodable>(
    _: Value.Type, from path: String, tail: Int? = nil
  ) throws(LabError) -> [Value] {
    guard let handle = FileHandle(forReadingAtPath: path) else {
      throw LabError(.state, "\(path) cannot be read.")
    }
    do {
      var isCut = false
      if let tail {
        let size = try handle.seekToEnd()
        isCut = size > UInt64(tail)
        try handle.seek(toOffset: isCut ? size - UInt64(tail) : 0)
      }
      let data = try handle.readToEnd() ?? Data()
      var lines = data.split(separator: UInt8(ascii: "\n"))
      // The first line of a tail has no beginning; the last may still be written.
      if isCut, !lines.isEmpty { lines.removeFirst() }
      if data.last != UInt8(ascii: "\n"), !lines.isEmpty { lines.removeLast() }
      let decoder = JSONDecoder()
      return try lines.map { try decoder.decode(Value.self, from: Data($0)) }
    } catch {
      throw LabError(.state, "\(path) is no file of JSON lines: \(error).")
    }
  }
}
