import Control
import Testing

@testable import HostAgent

/// What two modules have to agree on that do not know each other.
@Suite struct LimitsTests {
  @Test func operatorsAreToldHowLongHostsLetARecalledRangeLive() {
    #expect(Control::Limits.recallMilliseconds == HostAgent::Limits.recallMilliseconds)
  }
}
