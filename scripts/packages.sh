#!/usr/bin/env bash
# packages.sh WHO PACKAGE...: installs those of Debian's packages that are not there, and says so as WHO. Does nothing the second time.
set -euo pipefail
who=$1
shift
missing=()
for package in "$@"; do
  [[ $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true) == "install ok installed" ]] || missing+=("$package")
done
if ((${#missing[@]} == 0)); then exit 0; fi
as_root=()
if ((EUID != 0)); then as_root=(sudo); fi
echo "$who: installing ${missing[*]}"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
