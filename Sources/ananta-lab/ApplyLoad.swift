import Control
import Lab
import Transport
import Wire

/// Changes of one network, one after the other, each timed.
struct ApplyLoad {
  let count: Int
  let isWaiting: Bool
  let pause: Int

  /// Applies and, if wanted, waits for every node; an error ends it.
  func run(_ client: ManagementClient) async throws -> Distribution {
    var times: [Double] = []
    for number in 0..<count {
      let address = IPv4Address(number: IPv4Address(10, 64, 0, 0).number + UInt32(number))
      let network = VirtualNetwork(name: "timed", prefixes: [IPv4Prefix(address, length: 32)])
      let began = ContinuousClock.now
      let outcome = try await client.perform(.apply([.virtualNetwork(network)]), dryRun: false)
      if let wrong = outcome.errors.first { throw LabError(.command, wrong.reason) }
      if isWaiting { try await client.wait(for: outcome.revision, limit: .seconds(30)) { _ in } }
      let elapsed = (ContinuousClock.now - began).components
      times.append(Double(elapsed.seconds) * 1e3 + Double(elapsed.attoseconds) / 1e15)
      if pause > 0 { try await Task.sleep(for: .milliseconds(pause)) }
    }
    return Distribution(milliseconds: times)
  }
}
