#!/usr/bin/env bash
# Installs the Debian packages that Ananta needs to be built, tested and shown; does nothing when all are there.
set -euo pipefail

build=(libbpf-dev libnl-3-dev libnl-route-3-dev libsqlite3-dev pkg-config binutils)
lab=(frr procps iproute2 iputils-ping ethtool nftables tcpdump curl iperf3 nginx-light socat)
judges=(tshark bird2 gobgpd jq)

missing=()
for package in "${build[@]}" "${lab[@]}" "${judges[@]}"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
  echo "Debian packages are missing: ${missing[*]}. Run 'sudo make deps'." >&2
  exit 1
fi

# Debian starts daemons as it installs them; a lab starts its own, in its own namespaces.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
echo "installing: ${missing[*]}"
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null

# Nor shall they start at the next boot, where it was we who brought them.
if command -v systemctl >/dev/null; then
  for package in "${missing[@]}"; do
    case "$package" in
      frr) systemctl disable frr >/dev/null 2>&1 || true ;;
      nginx-light) systemctl disable nginx >/dev/null 2>&1 || true ;;
      bird2) systemctl disable bird >/dev/null 2>&1 || true ;;
      gobgpd) systemctl disable gobgpd >/dev/null 2>&1 || true ;;
    esac
  done
fi
