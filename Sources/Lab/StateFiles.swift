import Foundation

/// Files and directories of a lab.
enum StateFiles {
  /// The corresponding call is `mkdir -p`.
  static func makeDirectory(_ path: String) throws(LabError) {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw LabError(.state, "\(path) cannot be made: \(error).")
    }
  }

  /// Makes a directory that must not be there yet; false if it is.
  static func claimDirectory(_ path: String) throws(LabError) -> Bool {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
      return true
    } catch {
      if FileManager.default.fileExists(atPath: path) { return false }
      throw LabError(.state, "\(path) cannot be made: \(error).")
    }
  }

  /// Writes a text file.
  static func write(_ text: String, to path: String) throws(LabError) {
    do {
      try text.write(toFile: path, atomically: false, encoding: .utf8)
    } catch {
      throw LabError(.state, "\(path) cannot be written: \(error).")
    }
  }

  /// Removes a directory and all below it, if it is there.
  static func remove(_ path: String) throws(LabError) {
    guard FileManager.default.fileExists(atPath: path) else { return }
    do {
      try FileManager.default.removeItem(atPath: path)
    } catch {
      throw LabError(.state, "\(path) cannot be removed: \(error).")
    }
  }
}
