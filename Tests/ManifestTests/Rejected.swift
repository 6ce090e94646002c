import Testing

/// A manifest that must be refused, and how.
struct Rejected: Sendable, CustomTestStringConvertible {
  let text: String
  let errors: [String]

  /// Takes a text and its errors, `LINE:COLUMN: path: reason`, in order.
  init(_ text: String, _ errors: String...) {
    self.text = text
    self.errors = errors
  }

  var testDescription: String { errors.first ?? text }
}

/// A Service whose spec is all that matters.
func service(_ spec: String) -> String { "kind: Service\nmetadata: {name: a}\nspec:\n" + spec }

/// An endpoint from line 6 on, indented by 6.
func endpoint(_ keys: String) -> String { service("  vip: 1.2.3.4\n  endpoints:\n    - " + keys) }

/// An endpoint that is complete but for a probe, which begins in line 10.
func probe(_ keys: String, transport: String = "tcp") -> String {
  endpoint("protocol: \(transport)\n      port: 80\n      backends: []\n      probe:\n        " + keys)
}

/// A VirtualMachine whose spec is all that matters.
func machine(_ spec: String) -> String { "kind: VirtualMachine\nmetadata: {name: a}\nspec: " + spec }

/// A Node whose spec is all that matters.
func node(_ spec: String) -> String { "kind: Node\nmetadata: {name: a}\nspec: " + spec }
