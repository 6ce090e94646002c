public import Platform

/// The path at which a name of a bpffs is.
public typealias PinPath = (String) throws(PlatformError) -> String

/// Maps that outlive the agent under their names.
enum PinnedMaps {
  /// Opens the map that is pinned under its name, or creates and pins it; without paths it lives as long as
  /// this process.
  static func open(
    _ name: String, of definitions: [BPFMapDefinition], at path: PinPath?
  ) throws(PlatformError) -> BPFMap {
    let definition = definition(name, of: definitions)
    guard let path = try path?(name) else { return try BPFMap.create(definition) }
    if let map = try BPFMap.open(pinned: path, definition) { return map }
    let map = try BPFMap.create(definition)
    try map.pin(at: path)
    return map
  }

  /// The map that is pinned under its name; nil when there is none, an error with reason `invalid` when it
  /// has another shape.
  static func find(
    _ name: String, of definitions: [BPFMapDefinition], at path: PinPath
  ) throws(PlatformError) -> BPFMap? {
    try BPFMap.open(pinned: try path(name), definition(name, of: definitions))
  }

  /// Creates a map in the place of one that is pinned under its name.
  static func replace(
    _ name: String, of definitions: [BPFMapDefinition], at path: PinPath
  ) throws(PlatformError) -> BPFMap {
    let map = try BPFMap.create(definition(name, of: definitions))
    try map.pin(at: try path(name), replacing: true)
    return map
  }

  private static func definition(_ name: String, of definitions: [BPFMapDefinition]) -> BPFMapDefinition {
    guard let definition = definitions.first(where: { $0.name == name }) else {
      preconditionFailure("a map of ours")
    }
    return definition
  }
}
