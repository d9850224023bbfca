#!/usr/bin/env bash
# run.sh OUT: boots the virtual machine, installs the project's package in it, runs guest.sh, prints its table, and ends with 0 if every
# check passed. The package is target/debian/*.deb (make deb). OUT gets report, journal, status, exposure, panel pictures, console, and the
# technician's line.
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
mkdir -p "$out"/host/{frames/lit,technician} "$out/package"
host=$(cd "$out/host" && pwd)
cp "$here"/{guest,lib,furnish,sessions,technician,faults}.sh "$cache/modules/feed" board/{vm,kiosk-a,kiosk-b}.toml "$host/"
cp -r board/scenes "$host/"
# The same package, not compressed: the machine would need half a minute to unpack it, three times.
dpkg-deb -R "${packages[0]}" "$out/package"
dpkg-deb -Znone --root-owner-group -b "$out/package" "$host/boothd.deb" >/dev/null

# What the camera is going to see. The phone with the ticket follows when the wallet in the machine has issued one.
boothd=$out/package/usr/bin/boothd
render() {
  local step=$1 light=$2 exposure_us=$3
  shift 3
  "$boothd" render "$host/scenes/passport.toml" --step "$step" --light "$light" --exposure-us "$exposure_us" --frames 3 \
    --out "$host/frames/half.yuyv" "$@" >/dev/null
  mv "$host/frames/half.yuyv" "$host/frames/$step.yuyv"
}
# The same place in the light of no, one and both sides of the ring, as bright as the self-test makes them.
lit() {
  local sides=$1
  shift
  render empty 0 8000 "$@"
  mv "$host/frames/empty.yuyv" "$host/frames/lit/$sides.yuyv"
}
lit off
lit left --light-left 0.8
lit right --light-right 0.8
lit both --light-left 0.8 --light-right 0.8
render empty 0.05 8000 --sound "$host/sound.wav" --sound-s 10
render document 0.02 6700
render face 0.35 10000
# What is heard, as two cards would give it: as it is, and each sample three times in both channels of 48 kHz, 32 bit.
python3 - "$host/sound" <<'P'
import array, sys, wave
with wave.open(sys.argv[1] + ".wav") as wav:
    sound = array.array("h", wav.readframes(wav.getnframes()))
with open(sys.argv[1] + "-16000.raw", "wb") as file:
    file.write(sound.tobytes())
with open(sys.argv[1] + "-48000.raw", "wb") as file:
    file.write(array.array("i", (sample << 16 for sample in sound for _ in range(6))).tobytes())
P
python3 - "$host/frames" <<'P'
import random, sys
# Three frames of a sensor in the dark: noise, a little above black; and with a finger on the lens, which lets some light through.
for name, level in ("black", 14), ("covered", 28):
    with open(f"{sys.argv[1]}/{name}.yuyv", "wb") as file:
        for _ in range(3):
            file.write(b"".join(bytes((level + random.getrandbits(2), 128)) for _ in range(1280)) * 720)
P

version=$(cat "$cache/version")
echo "vm: booting kernel $version (emulated: slow)"
start=$SECONDS
# The far end of the technician's line. Not in OUT: the name of a socket has some hundred letters at most.
line=$(mktemp -d)
trap 'rm -rf "$line"' EXIT
# No KVM: it is not everywhere, and the checks are about drivers, not about speed.
timeout "${VM_TIMEOUT_S:-900}" qemu-system-x86_64 -accel tcg,thread=multi -cpu Nehalem -smp 2 -m 1536 -M q35 -nodefaults -display none -no-reboot \
  -kernel "$cache/kernel/$version/image/boot/vmlinuz-$version" -initrd "$cache/memory.gz" \
  -append "console=ttyS0 quiet loglevel=4 panic=-1 systemd.show_status=0 audit=0 mitigations=off" \
  -drive "file=$cache/root.squashfs,if=none,id=disk,format=raw,readonly=on" -device virtio-blk-pci,drive=disk \
  -fsdev "local,id=host,path=$host,security_model=none" -device virtio-9p-pci,fsdev=host,mount_tag=host \
  -device virtio-rng-pci -device i6300esb -watchdog-action reset \
  -chardev "file,id=console,path=$out/console.txt" -serial chardev:console \
  -chardev "socket,id=technician,path=$line/line,server=on,wait=off,mux=on" -serial chardev:technician </dev/null &
machine=$!
"$here/technician.py" "$line/line" "$host/technician" "$boothd" "$out/technician.txt" &
technician=$!
while kill -0 $machine 2>/dev/null; do
  if [[ -f $host/ticket.txt && ! -f $host/frames/ticket.yuyv ]]; then render ticket 0.05 6000 --ticket "$host/ticket.txt" || sleep 1; fi
  sleep 0.2
done
wait $machine || echo "vm: the machine did not end by itself; see $out/console.txt" >&2
kill $technician 2>/dev/null || true
echo "vm: ran $((SECONDS - start)) s"

cat "$host/report.txt" 2>/dev/null || { tail -n 20 "$out/console.txt" >&2; echo "0 passed, 1 failed: no report"; exit 1; }
[[ -f $host/counts ]] || { echo "0 passed, 1 failed: the checks were not run to the end"; exit 1; }
read -r passed failed <"$host/counts"
# check NAME COMMAND...: a check that is made from outside of the machine.
check() {
  local name=$1
  shift
  if "$@"; then passed=$((passed + 1)) word=passed; else failed=$((failed + 1)) word=FAILED; fi
  printf '%-78s %s\n' "$name" $word
}
check "panel: the pictures of a session, read back from the I2C recorder" python3 "$here/panel.py" "$host/i2c.tape" "$out/panel.png"
check "console: its banner came over the second serial line" grep -q "technician's console" "$out/technician.txt"
check "service hung, nobody else there: the watchdog chip has reset the machine" test -f "$host/hung" -a ! -f "$host/not-reset"
cp "$host"/{report,journal,status,security,dpkg,other}.txt "$out/"
rm -rf "$host" "$out/package"
echo "$passed passed, $failed failed"
((failed == 0 && passed > 0))
