import Control
import Manager
import Testing

/// Whole lives of a manager from seeds: connects, crashes, lost writes, restarts, health that comes and goes.
@Suite("A manager's life") struct SimulationTests {
  @Test("every node converges to the newest revision and its health", arguments: 0..<16)
  func converges(block: UInt64) {
    var updates = 0
    var accepted = 0
    var restarts = 0
    for seed in block * 32..<(block + 1) * 32 {
      var simulation = Simulation(seed: seed)
      for _ in 0..<120 { simulation.step() }
      simulation.settle()
      updates += simulation.updates
      accepted += simulation.accepted
      restarts += simulation.restarts
    }
    #expect(updates > 32 * 10, "too little happens to prove anything")
    #expect(accepted > 32 * 4, "too little happens to prove anything")
    #expect(restarts > 10, "too little happens to prove anything")
  }
}
