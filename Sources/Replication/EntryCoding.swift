import Foundation
import Manager
import Paxos

/// Entries and snapshots as octets: a version, then JSON with sorted keys, so that equal values have equal octets.
enum EntryCoding {
  /// Of what follows; a log that holds another one was written by another release.
  static let version: UInt8 = 1

  /// Why octets cannot be read: to go on without them would be to diverge.
  struct Failure: Error, Hashable, CustomStringConvertible {
    let description: String
  }

  static func encode(_ value: some Encodable) throws(Failure) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do {
      return try [version] + encoder.encode(value)
    } catch {
      throw Failure(description: "it has no JSON form (\(error))")
    }
  }

  static func decode<Value: Decodable>(_ type: Value.Type, from octets: [UInt8]) throws(Failure) -> Value {
    guard let first = octets.first else { throw Failure(description: "it is empty") }
    guard first == version else {
      throw Failure(description: "it is of version \(first), and this release reads version \(version)")
    }
    do {
      return try JSONDecoder().decode(type, from: Data(octets.dropFirst()))
    } catch {
      throw Failure(description: "its JSON cannot be read (\(error))")
    }
  }
}
