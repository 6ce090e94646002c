import Control
import Lab
import Transport
import Wire

/// Registers that are virtual networks of an Ananta: the number of each is the address of its only prefix.
struct ManagedRegisters: RegisterStore {
  let client: ManagementClient

  /// The numbers are those of 10.0.0.0/8.
  private static let base = IPv4Address(10, 0, 0, 0).number

  private static func name(_ register: Int) -> String { "register-\(register)" }

  func write(_ value: UInt64, to register: Int) async -> RegisterReply {
    let address = IPv4Address(number: Self.base + UInt32(truncatingIfNeeded: value))
    let network = VirtualNetwork(
      name: Self.name(register), prefixes: [IPv4Prefix(address, length: 32)])
    do throws(ManagementClientError) {
      let outcome = try await client.perform(.apply([.virtualNetwork(network)]), dryRun: false)
      guard let wrong = outcome.errors.first else { return RegisterReply(.ok) }
      return RegisterReply(.failed, reason: wrong.reason)
    } catch {
      return RegisterReply(Self.outcome(of: error), reason: "\(error)")
    }
  }

  func read() async -> RegisterReply {
    do throws(ManagementClientError) {
      let state = try await client.state()
      var values: [Int: UInt64] = [:]
      for network in state.networks {
        guard network.name.hasPrefix("register-"), let register = Int(network.name.dropFirst(9)),
          let prefix = network.prefixes.first
        else { continue }
        values[register] = UInt64(prefix.address.number - Self.base)
      }
      return RegisterReply(.ok, values: values)
    } catch {
      return RegisterReply(Self.outcome(of: error), reason: "\(error)")
    }
  }

  /// What is known of a request that ended so: only a manager's word, or no connection at all, makes it certain
  /// that nothing has happened.
  private static func outcome(of error: ManagementClientError) -> RegisterOperation.Outcome {
    switch error {
    case .manager(.uncertain), .timedOut, .failed: .uncertain
    case .manager(.notPrimary), .manager(.overloaded), .manager(.unavailable), .manager(.refused),
      .manager(.forbidden), .unreachable, .incompatible:
      .failed
    }
  }
}
