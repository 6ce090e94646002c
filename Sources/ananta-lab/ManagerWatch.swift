import Control
import Dispatch
import Lab
import Transport

/// Asks each manager again and again what it is, and notes it.
struct ManagerWatch {
  private let managers: OperatorAccess
  private let log: JSONLines

  /// From one question to the next.
  private static let interval = Duration.milliseconds(200)
  /// A manager that has stopped answers nothing.
  private static let timeout = Duration.milliseconds(500)

  init(_ managers: OperatorAccess, log: JSONLines) throws {
    self.managers = managers
    self.log = log
  }

  /// Asks until the task is cancelled; a manager that does not answer holds up nobody else.
  func run() async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for address in managers.addresses {
        let client = managers.client(at: [address], timeout: Self.timeout)
        group.addTask {
          while !Task.isCancelled {
            if let group = try? await client.managers(),
              let own = group.managers.first(where: { $0.node == group.answering })
            {
              try log.append(ManagerSighting(at: DispatchTime.now().uptimeNanoseconds, status: own))
            }
            try? await Task.sleep(for: Self.interval)
          }
        }
      }
      try await group.waitForAll()
    }
  }
}
