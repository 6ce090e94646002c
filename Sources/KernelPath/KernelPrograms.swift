internal import Foundation
internal import Platform

/// The object that Sources/Kernel is compiled into.
enum KernelPrograms {
  /// Reads it.
  static func object() throws(PlatformError) -> BPFObject {
    guard let bytes = Data(base64Encoded: KernelObject.base64) else {
      preconditionFailure("written by build.sh")
    }
    return try BPFObject([UInt8](bytes))
  }
}
