import Control

/// A server that the lab runs inside a VM, or on a machine of the internet.
struct GuestServer: Hashable {
  /// The VM, or the machine.
  let guest: String
  /// What it is.
  let server: Topology.Server
  /// Where it listens at the DIP.
  let port: UInt16
  /// How many connections it can have at once.
  var connections = 4096

  /// Where the internet's servers answer HTTP, and datagrams.
  static let internetPorts: (http: UInt16, datagrams: UInt16) = (80, 53)

  /// Every server of a topology, without repetition, in the order of its services.
  static func all(of topology: Topology) -> [GuestServer] {
    var servers: [GuestServer] = []
    for offer in topology.offers {
      for (endpoint, kind) in zip(offer.service.endpoints, offer.servers) {
        guard let kind else { continue }
        for backend in endpoint.backends {
          let server = GuestServer(guest: backend.machine, server: kind, port: endpoint.backendPort)
          if !servers.contains(server) { servers.append(server) }
        }
      }
    }
    for site in topology.internet {
      let (http, datagrams) = internetPorts
      servers.append(
        GuestServer(
          guest: site.name, server: .http, port: http, connections: Limits.internetConnections))
      servers.append(GuestServer(guest: site.name, server: .udp, port: datagrams))
    }
    return servers
  }

  /// Tells it from other servers of the VM: `http-8080`.
  var label: String { "\(server.rawValue)-\(port)" }

  /// Starts it in the VM's namespace; it keeps its files in a directory of its own below `directory`.
  func start(in namespace: String, directory: String, programs: Programs) async throws(LabError)
    -> RecordedProcess
  {
    let own = "\(directory)/\(label)"
    try StateFiles.makeDirectory(own)
    var words: [String]
    switch server {
    case .http:
      try StateFiles.write(webConfiguration(own), to: "\(own)/nginx.conf")
      // nginx raises its limit of descriptors in its workers only, and this one has none.
      words = Limits.allDescriptors + ["nginx", "-p", own, "-c", "\(own)/nginx.conf", "-e", "stderr"]
    case .iperf3: words = ["iperf3", "--server", "--port", String(port), "--forceflush"]
    case .udp: words = [programs.lab, "traffic", "answer", "--name", guest, "--port", String(port)]
    }
    let daemon = Daemon(
      member: guest, duty: .server, label: label, namespace: namespace, words: words, directory: own,
      log: "\(own)/log")
    return try await daemon.start()
  }

  /// One process without workers, so that ending it ends the server at once.
  private func webConfiguration(_ own: String) -> String {
    let places = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
      .map { "  \($0)_temp_path \(own)/\($0);\n" }.joined()
    return """
      daemon off;
      master_process off;
      worker_processes 1;
      pid \(own)/nginx.pid;
      events { worker_connections \(connections); }
      http {
        access_log off;
        default_type text/plain;
        client_header_timeout 600s;
        keepalive_timeout 300s;
        keepalive_requests 1000000;
      \(places)  server {
          listen \(port) backlog=4096;
          location / { return 200 "\(guest)\\n"; }
          location = /healthz { return 200 "ok\\n"; }
        }
      }

      """
  }
}
