#!/bin/sh
# /sbin/init of the read-only root: lays the writable overlay over it the way OpenWrt's mount_root does
# (fstools, libfstools/mount.c: fopivot). run.sh, which is added to this, runs the commands. ttyS0 is the
# kernel's.

export PATH=/usr/sbin:/usr/bin:/sbin:/bin

fail() {
	echo "lab: $*" >/dev/console
	poweroff -f
}

mount -t proc -o nosuid,nodev,noexec,relatime proc /proc
mount -t sysfs -o nosuid,nodev,noexec,relatime sysfs /sys
mount -t tmpfs -o nosuid,noexec,relatime,mode=0755,size=512K tmpfs /dev
while read -r name type major minor; do
	mknod -m 0666 "/dev/$name" "$type" "$major" "$minor"
done <<-NODES
	console c 5 1
	null c 1 3
	zero c 1 5
	full c 1 7
	random c 1 8
	urandom c 1 9
	kmsg c 1 11
	tty c 5 0
	ptmx c 5 2
	ttyS0 c 4 64
	ttyS1 c 4 65
	ttyS2 c 4 66
	loop0 b 7 0
	root b 7 0
NODES
exec </dev/null >/dev/console 2>&1
mkdir /dev/pts
mount -t devpts -o nosuid,noexec,relatime,mode=0600,ptmxmode=0000 devpts /dev/pts
ln -s /proc/self/fd /dev/fd
mkdir -m 1777 /tmp/shm
ln -s /tmp/shm /dev/shm

# The flash, if this kernel has one; else what OpenWrt does before its flash is ready: an overlay in memory.
if grep -q mtdram /proc/mtd 2>/dev/null; then
	overlay=/overlay
	mknod /dev/mtd0 c 90 0
	mknod /dev/mtdblock0 b 31 0
	mount -t jffs2 -o noatime /dev/mtdblock0 $overlay || fail "mount $overlay"
else
	overlay=/tmp/root
	mkdir $overlay
	mount -t tmpfs -o noatime,mode=0755 tmpfs $overlay || fail "mount $overlay"
fi
mkdir -p $overlay/upper $overlay/work
mount -t overlay -o noatime,lowerdir=/,upperdir=$overlay/upper,workdir=$overlay/work overlayfs:$overlay /mnt ||
	fail "mount the overlay"
mount --move /proc /mnt/proc
pivot_root /mnt /mnt/rom || fail "pivot_root"
for dir in dev tmp sys overlay; do
	mount --move /rom/$dir /$dir 2>/dev/null
done

# What an owner has installed by now: the seed's router had 10.6 of its 12 MB left.
if [ $overlay = /overlay ]; then
	mkdir -p /usr/lib/lab
	dd if=/dev/urandom of=/usr/lib/lab/installed bs=1k count=FILLER 2>/dev/null
fi

echo OpenWrt >/proc/sys/kernel/hostname
mkdir -p /tmp/sysinfo /tmp/run /tmp/log /tmp/lock
echo mti,malta | tee /tmp/sysinfo/board_name >/tmp/sysinfo/model
ifconfig lo 127.0.0.1 2>/dev/null

