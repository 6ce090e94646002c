import Control
import Testing

/// An operation on the sample and what is wrong with it.
struct ValidationCase: CustomTestStringConvertible, Sendable {
  let title: String
  let operation: Control.Operation
  let expected: [Expectation]

  /// Where an error is found and some words of its reason.
  struct Expectation: Sendable {
    let key: ResourceKey
    let path: String
    let words: String
  }

  var testDescription: String { title }

  /// One or more errors in the last resource of the request.
  init(
    _ title: String, _ resources: Resource..., path: String, says words: String,
    and others: [(path: String, words: String)] = []
  ) {
    self.title = title
    operation = .apply(resources)
    let key = resources.last?.key ?? ResourceKey(.node, "")
    expected = ([(path, words)] + others).map { Expectation(key: key, path: $0.0, words: $0.1) }
  }

  /// Any errors.
  init(_ title: String, _ operation: Control.Operation, _ expected: [(ResourceKey, String, String)]) {
    self.title = title
    self.operation = operation
    self.expected = expected.map { Expectation(key: $0.0, path: $0.1, words: $0.2) }
  }
}
