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
    for seed in block * seedsPerBlock..<(block + 1) * seedsPerBlock {
      var simulation = Simulation(seed: seed)
      for _ in 0..<120 { simulation.step() }
      simulation.settle()
      updates += simulation.updates
      accepted += simulation.accepted
      restarts += simulation.restarts
    }
    #expect(updates > Int(seedsPerBlock) * 10, "too little happens to prove anything")
    #expect(accepted > Int(seedsPerBlock) * 4, "too little happens to prove anything")
    #expect(restarts > 5, "too little happens to prove anything")
  }
}
