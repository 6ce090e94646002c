internal import Glibc

/// What this kernel lets this process do with eBPF, found out by doing it.
public struct BPFCapabilities: Hashable, Sendable {
  /// Something that is missing.
  public struct Missing: Hashable, Sendable {
    /// What is missing.
    public let feature: BPFFeature
    /// What the kernel said when it was tried; nil when it did, but not what was wanted.
    public let errno: Errno?
    /// One sentence on what is missing, or which privilege.
    public let sentence: String
  }

  /// What is missing, in the order of `BPFFeature`.
  public let missing: [Missing]

  /// Describes a kernel that lacks what is listed.
  public init(missing: [Missing]) { self.missing = missing }

  /// Tries every feature once: maps are made and programs loaded and run, and all is let go again.
  public static func probe() -> BPFCapabilities {
    var missing: [Missing] = []
    for feature in BPFFeature.allCases {
      do throws(PlatformError) {
        if try !BPFProbe.succeeds(feature) {
          missing.append(Missing(feature: feature, errno: nil, sentence: feature.sentence))
        }
      } catch {
        let isPrivilege = error.errno.rawValue == EPERM
        missing.append(
          Missing(
            feature: feature, errno: error.errno,
            sentence: isPrivilege
              ? "eBPF is not permitted: run as root, or grant CAP_BPF and CAP_NET_ADMIN." : feature.sentence))
      }
    }
    return BPFCapabilities(missing: missing)
  }

  /// Whether the kernel has a feature.
  public func has(_ feature: BPFFeature) -> Bool { !missing.contains { $0.feature == feature } }

  /// Sentences on what is missing for somebody's programs, each once; empty when they can run.
  public func complaints(of user: BPFFeature.User) -> [String] {
    var sentences: [String] = []
    for entry in missing where entry.feature.users.contains(user) && !sentences.contains(entry.sentence) {
      sentences.append(entry.sentence)
    }
    return sentences
  }
}
