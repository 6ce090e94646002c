import Glibc

/// This process's own image.
public enum ProcessImage {
  /// Becomes another program, so that terminal, signals and exit status are the program's own.
  ///
  /// The corresponding call is `execvp`; it returns only if it failed.
  public static func replace(with command: ExternalCommand) throws(LabError) {
    guard let program = command.words.first else { throw LabError(.command, "There is no command to run.") }
    var arguments = unsafe command.words.map { unsafe strdup($0) }
    unsafe arguments.append(nil)
    _ = unsafe execvp(program, arguments)
    let reason = unsafe String(cString: strerror(errno))
    unsafe arguments.forEach { unsafe free($0) }
    throw LabError(.command, "\(program) could not be run: \(reason).")
  }
}
