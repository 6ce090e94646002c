import Foundation

/// Files of certificates and keys.
enum PEMFile {
  /// Whose business a file is.
  enum Privacy: mode_t {
    /// A key.
    case owner = 0o600
    /// A certificate.
    case everybody = 0o644
  }

  /// Reads a text of a bounded size.
  static func read(_ path: String) throws(PKIError) -> String {
    guard let handle = FileHandle(forReadingAtPath: path) else {
      throw PKIError(.file, "\(path) cannot be read: \(reason(errno))")
    }
    defer { try? handle.close() }
    let data: Data
    do { data = try handle.read(upToCount: Limits.fileBytes + 1) ?? Data() } catch {
      throw PKIError(.file, "\(path) cannot be read: \(error.localizedDescription)")
    }
    guard data.count <= Limits.fileBytes, let text = String(data: data, encoding: .utf8) else {
      throw PKIError(.content, "\(path) is no PEM file")
    }
    return text
  }

  /// Writes a text, whole or not at all, and readable from the first moment on only for whom it is.
  static func write(
    _ text: String, to path: String, for privacy: Privacy, replacing: Bool
  ) throws(PKIError) {
    let draft = "\(path).\(getpid()).\(UInt32.random(in: 0...(.max))).new"
    let descriptor = unsafe open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, privacy.rawValue)
    guard descriptor >= 0 else { throw failure(path) }
    defer { unsafe unlink(draft) }
    let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    do {
      try handle.write(contentsOf: Data(text.utf8))
      try handle.synchronize()
      try handle.close()
    } catch {
      throw PKIError(.file, "\(path) cannot be written: \(error.localizedDescription)")
    }
    // A link takes no place that is taken; a rename does.
    let outcome = replacing ? unsafe rename(draft, path) : unsafe link(draft, path)
    guard outcome == 0 else { throw failure(path) }
  }

  private static func failure(_ path: String) -> PKIError {
    guard errno != EEXIST else {
      return PKIError(.exists, "\(path) is there already; move it away, or say --force to replace it")
    }
    return PKIError(.file, "\(path) cannot be written: \(reason(errno))")
  }

  private static func reason(_ code: Int32) -> String {
    NSError(domain: NSPOSIXErrorDomain, code: Int(code)).localizedDescription
  }
}
