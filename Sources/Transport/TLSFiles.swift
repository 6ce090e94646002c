import Foundation
import NIOCertificateReloading
import NIOSSL
import PKI
import Synchronization
import X509

/// What the files of a `TLSIdentity` hold.
struct TLSMaterial: Sendable {
  let authorities: [Certificate]
  let credential: Credential
  let chain: [NIOSSLCertificate]
  let key: NIOSSLPrivateKey

  init(_ files: TLSIdentity) throws(PKIError) {
    authorities = try Credential.certificates(in: files.authority)
    credential = try Credential(certificate: files.certificate, key: files.key)
    do {
      chain = try NIOSSLCertificate.fromPEMBytes([UInt8](Credential.pem(credential.chain).utf8))
      key = try NIOSSLPrivateKey(bytes: [UInt8](Credential.pem(credential.key).utf8), format: .pem)
    } catch {
      throw PKIError(.content, "\(files.certificate) and \(files.key) are of no use for TLS: \(error)")
    }
  }

  /// The own certificate.
  var own: Certificate { credential.chain[0] }
}

/// The files of a `TLSIdentity`, read again when they change, so that certificates are replaced without a restart.
///
/// They are looked at for each new connection. Files that cannot be used, for instance because one of them has been
/// replaced and the other not yet, change nothing.
final class TLSFiles: CertificateReloader {
  private struct Stamp: Hashable {
    let modified: Date?
    let inode: Int?
    let size: Int?
  }

  private struct State {
    var material: TLSMaterial
    var stamps: [Stamp]
    var problem: String?
  }

  let files: TLSIdentity
  private let state: Mutex<State>
  private let warn: @Sendable (String) -> Void

  /// Reads the files; `warn` hears of those that cannot be used later on.
  init(_ files: TLSIdentity, warn: @Sendable @escaping (String) -> Void = { _ in }) throws(PKIError) {
    self.files = files
    self.warn = warn
    let stamps = Self.stamps(files)
    state = Mutex(State(material: try TLSMaterial(files), stamps: stamps))
  }

  /// What the files hold now.
  var material: TLSMaterial {
    let stamps = Self.stamps(files)
    let (material, problem) = state.withLock { state -> (TLSMaterial, String?) in
      guard stamps != state.stamps else { return (state.material, nil) }
      do throws(PKIError) {
        state.material = try TLSMaterial(files)
        state.stamps = stamps
        state.problem = nil
        return (state.material, nil)
      } catch {
        defer { state.problem = error.description }
        return (state.material, state.problem == error.description ? nil : error.description)
      }
    }
    if let problem { warn(problem) }
    return material
  }

  var sslContextConfigurationOverride: NIOSSLContextConfigurationOverride {
    let material = material
    var override = NIOSSLContextConfigurationOverride()
    override.certificateChain = material.chain.map { .certificate($0) }
    override.privateKey = .privateKey(material.key)
    return override
  }

  private static func stamps(_ files: TLSIdentity) -> [Stamp] {
    [files.authority, files.certificate, files.key].map { path in
      let attributes = try? FileManager.default.attributesOfItem(atPath: path)
      return Stamp(
        modified: attributes?[.modificationDate] as? Date, inode: attributes?[.systemFileNumber] as? Int,
        size: attributes?[.size] as? Int)
    }
  }
}
