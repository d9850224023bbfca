#!/usr/bin/env bash
# verify-outcomes.sh OUT: looks at the wallet's database of a demonstration with programs that are not ours: sqlite3 counts,
# openssl verifies the booth's signature of every stored record.
set -euo pipefail
out=${1:?usage: verify-outcomes.sh OUT}
db=$(find "$out/wallet" -name '*.db' | head -n 1)
[[ -n $db ]] || { echo "verify-outcomes: no database in $out/wallet" >&2; exit 1; }
key=$out/keys/booth-sign.pub.pem
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

base64url() { # text on standard input -> bytes
  local text
  text=$(tr -- '-_' '+/')
  printf '%s%s' "$text" "$(printf '%*s' $(((4 - ${#text} % 4) % 4)) '' | tr ' ' '=')" | openssl base64 -d -A
}

good=0 bad=0
while IFS=$'\t' read -r id jws; do
  signed=${jws%.*}
  printf '%s' "$signed" >"$work/signed"
  printf '%s' "${jws##*.}" | base64url >"$work/signature"
  if openssl pkeyutl -verify -pubin -inkey "$key" -rawin -in "$work/signed" -sigfile "$work/signature" >/dev/null 2>&1; then
    good=$((good + 1))
  else
    bad=$((bad + 1))
    echo "verify-outcomes: outcome $id: the signature does not verify" >&2
  fi
done < <(sqlite3 -readonly -separator $'\t' "$db" 'select id, jws from outcome order by id')

doubled=$(sqlite3 -readonly "$db" 'select count(*) from (select 1 from outcome group by session having count(*) > 1)')
echo "outcomes per session and result (sqlite3):"
sqlite3 -readonly -column "$db" 'select count(*) as n, session, result from outcome group by session, result order by min(id)' | tail -n 12
echo "signatures that openssl verifies: $good, that it does not: $bad; sessions with more than one outcome: $doubled"
((bad == 0 && doubled == 0 && good > 0))
