#!/bin/sh
# The first process where the initramfs is the root: no router, only what programs expect of a Linux. run.sh,
# which is added to this, runs the commands.

export PATH=/usr/sbin:/usr/bin:/sbin:/bin

fail() {
	echo "lab: $*"
	poweroff -f
}

/bin/busybox --install -s
mount -t proc -o nosuid,nodev,noexec,relatime proc /proc
mount -t sysfs -o nosuid,nodev,noexec,relatime sysfs /sys
mount -t devtmpfs -o nosuid,noexec,relatime,mode=0755 devtmpfs /dev || fail "mount /dev"
exec </dev/null >/dev/console 2>&1

# Where the kernel has them as modules (in the order of their names).
for module in /modules/*.ko; do
	[ -e "$module" ] && { insmod "$module" || fail "insmod $module"; }
done
rm -r /modules
ln -s /proc/self/fd /dev/fd
mkdir -m 1777 /dev/shm
mount -t tmpfs -o nosuid,nodev,mode=1777 tmpfs /dev/shm

# One at a time, so that no more than one file is ever there twice.
mkdir -p /tmp
mount -t tmpfs -o nosuid,nodev,relatime,mode=1777 tmpfs /mnt || fail "mount /tmp"
find /tmp -mindepth 1 -maxdepth 1 -exec mv {} /mnt/ \;
mount --move /mnt /tmp
mv /lab /tmp/.lab

# The wires appear when their driver has asked for them.
for try in 1 2 3 4 5 6 7 8 9 10; do
	[ -e /dev/RESULTS ] && break
	sleep 0.2
done
[ -e /dev/RESULTS ] || fail "no /dev/RESULTS"
ifconfig lo 127.0.0.1 2>/dev/null

