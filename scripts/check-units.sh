#!/usr/bin/env bash
# Are the units well formed, and is each as closed as it was said? Exposure by systemd-analyze, times ten (12 is 1.2).
set -euo pipefail
cd "$(dirname "$0")/.."
if ! command -v systemd-analyze >/dev/null; then
  scripts/packages.sh check-units systemd
fi
declare -A most=([boothd.service]=12 [boothd-safe.service]=12 [boothd-uplink.service]=10 [boothd-console.service]=10 [boothd-reboot.service]=30)

# verify looks for the programs that the units start; here they may not be installed, which is not what is asked.
# Its exit code tells both apart as little as none, so its words are looked at.
said=$(systemd-analyze verify --man=no systemd/*.service systemd/*.path 2>&1 || true)
if problems=$(grep -v 'is not executable: No such file' <<<"$said" | grep .); then
  echo "$problems" >&2
  echo "check-units: a unit is not well formed; mend: see the lines above" >&2
  exit 1
fi
for unit in "${!most[@]}"; do
  if ! report=$(systemd-analyze security --offline=true --no-pager --threshold="${most[$unit]}" "systemd/$unit" 2>&1); then
    echo "$report" | grep '✗' >&2 || echo "$report" >&2
    echo "check-units: $unit: more exposed than $((most[$unit] / 10)).$((most[$unit] % 10)); mend: take back what opened it" >&2
    exit 1
  fi
  echo "$report" | grep -o 'Overall exposure level.*' | sed 's/[^ -~]*$//'
done
