#!/usr/bin/env bash
# run.sh OUT: boots the virtual machine, installs the project's package in it, runs guest.sh, prints its table, and ends with 0 if every
# check passed. The package is target/debian/*.deb (make deb). OUT gets the report, the journal and the console.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."
out=$1
cache=${VM_CACHE:-target/vm/cache}
"$here/fetch.sh" "$cache"
"$here/image.sh" "$cache"
packages=(target/debian/boothd_*_amd64.deb)
[[ -f ${packages[0]} ]] || { echo "vm: target/debian/boothd_*_amd64.deb: not there; mend: make deb" >&2; exit 1; }

rm -rf "$out"
mkdir -p "$out/host"
host=$(cd "$out/host" && pwd)
cp "${packages[0]}" "$host/boothd.deb"
cp "$here/guest.sh" board/vm.toml "$host/"
version=$(cat "$cache/version")
echo "vm: booting kernel $version (emulated: slow)"
start=$SECONDS
# No KVM: it is not everywhere, and the checks are about drivers, not about speed.
timeout "${VM_TIMEOUT_S:-600}" qemu-system-x86_64 -accel tcg,thread=multi -cpu Nehalem -smp 2 -m 1536 -M q35 -nodefaults -display none -no-reboot \
  -kernel "$cache/kernel/$version/image/boot/vmlinuz-$version" -initrd "$cache/memory.gz" \
  -append "console=ttyS0 quiet loglevel=4 panic=-1 systemd.show_status=0 audit=0 mitigations=off" \
  -drive "file=$cache/root.squashfs,if=none,id=disk,format=raw,readonly=on" -device virtio-blk-pci,drive=disk \
  -fsdev "local,id=host,path=$host,security_model=none" -device virtio-9p-pci,fsdev=host,mount_tag=host \
  -device virtio-rng-pci -device i6300esb -watchdog-action none \
  -chardev "file,id=console,path=$out/console.txt" -serial chardev:console \
  -chardev "file,id=technician,path=$out/technician.txt" -serial chardev:technician </dev/null ||
  echo "vm: the machine did not end by itself; see $out/console.txt" >&2
echo "vm: ran $((SECONDS - start)) s"
cat "$host/report.txt" 2>/dev/null || { tail -n 20 "$out/console.txt" >&2; echo "0 passed, 1 failed: no report"; exit 1; }
grep -Eq '^[1-9][0-9]* passed, 0 failed$' "$host/report.txt"
