/// The states of RFC 4271 §8.2.2.
public enum SessionState: String, Sendable, CaseIterable {
  case idle
  case connect
  case active
  case openSent
  case openConfirm
  case established
}
