import Wire

/// Reads an address that is known to be one.
func ip(_ text: String) -> IPv4Address { IPv4Address(text) ?? .any }

/// Reads a prefix that is known to be one.
func prefix(_ text: String) -> IPv4Prefix { IPv4Prefix(text) ?? IPv4Prefix(.any, length: 0) }
