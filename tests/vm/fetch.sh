#!/usr/bin/env bash
# fetch.sh CACHE: what the virtual machine is made of, from Debian's packages: kernel, headers and two source files of the kernel, and the
# root file system. What is there is kept, so it takes minutes once. Nothing is installed on the host but the tools.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
cd "$1"
step() { echo "vm: $*"; }

tools=(qemu-system-x86 mmdebstrap busybox-static cpio squashfs-tools kmod xz-utils build-essential bc libelf-dev)
"$here/../../scripts/packages.sh" vm "${tools[@]}"

image=$(apt-cache depends linux-image-amd64 | awk '/Depends: linux-image-[0-9]/{print $2; exit}')
version=${image#linux-image-}
abi=${version%-amd64}
series=$(cut -d. -f1,2 <<<"$abi")
if [[ ! -f kernel/$version/done ]]; then
  step "kernel $version: fetching"
  mkdir -p debs "kernel/$version"
  (cd debs && apt-get download -qq "linux-image-$version" "linux-headers-$version" "linux-headers-$abi-common" "linux-kbuild-$series" "linux-source-$series" 2> >(grep -v unsandboxed >&2))
  dpkg -x debs/linux-image-"$version"_*.deb "kernel/$version/image"
  for deb in debs/linux-headers-"$version"_*.deb debs/linux-headers-"$abi"-common_*.deb debs/linux-kbuild-"$series"_*.deb; do dpkg -x "$deb" "kernel/$version/headers"; done
  dpkg -x debs/linux-source-"$series"_*.deb "kernel/$version/source"
  # Debian's kernel has no gpio-sim and no IRQ simulator: three files of its source make them.
  tar xf "kernel/$version/source/usr/src/linux-source-$series.tar.xz" -C "kernel/$version/source" --strip-components=1 \
    "linux-source-$series/drivers/gpio/gpio-sim.c" "linux-source-$series/drivers/gpio/gpiolib.h" "linux-source-$series/kernel/irq/irq_sim.c"
  rm -rf "kernel/$version/source/usr" debs
  # The headers' Makefile names its place absolutely.
  sed -i "s#include /usr/src/#include $PWD/kernel/$version/headers/usr/src/#" "kernel/$version/headers/usr/src/linux-headers-$version/Makefile"
  depmod -b "kernel/$version/image" "$version" 2>/dev/null
  touch "kernel/$version/done"
fi
echo "$version" >version

sum=$(cat "$here"/boothsim.c "$here"/feed.c "$here"/fetch.sh | sha256sum | cut -c1-16)
if [[ ! -f modules/$version-$sum ]]; then
  step "modules: building boothsim and gpio-sim, and what feeds the camera"
  rm -rf modules
  mkdir modules
  cp "kernel/$version/source/drivers/gpio/gpio-sim.c" modules/gpio-sim-core.c
  cp "kernel/$version/source/drivers/gpio/gpiolib.h" modules/
  sed 's/handle_simple_irq(irq_to_desc(irqnum))/generic_handle_irq(irqnum)/; /^EXPORT_SYMBOL_GPL/d' \
    "kernel/$version/source/kernel/irq/irq_sim.c" >modules/irq-sim-local.c
  cp "$here/boothsim.c" modules/
  printf 'obj-m += boothsim.o gpio-sim.o\ngpio-sim-y := gpio-sim-core.o irq-sim-local.o\n' >modules/Kbuild
  make -s -C "kernel/$version/headers/usr/src/linux-headers-$version" M="$PWD/modules" modules >modules/log 2>&1 || { tail -n 20 modules/log >&2; exit 1; }
  cc -O2 -Wall -static -o modules/feed "$here/feed.c"
  touch "modules/$version-$sum"
fi

if [[ ! -f rootfs-1.tar ]]; then
  step "root file system: Debian bookworm"
  mmdebstrap -q --variant=minbase --mode=root \
    --include=systemd-sysv,udev,dbus,kmod,adduser,init-system-helpers,libasound2,libstdc++6,alsa-utils,v4l-utils,gpiod,openssl,sqlite3 \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --aptopt='Apt::Install-Recommends "false"' bookworm rootfs.half.tar >mmdebstrap.log 2>&1 || { tail -n 5 mmdebstrap.log >&2; exit 1; }
  mv rootfs.half.tar rootfs-1.tar
fi
