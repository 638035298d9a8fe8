# The machine, as diag sees it and as the system says it.
out=/tmp/out
diag --json >$out/machine.json 2>$out/machine.errors
echo $? >$out/machine.status
diag >$out/machine.text 2>>$out/machine.errors
cat /proc/cpuinfo >$out/cpuinfo
cat /proc/mounts >$out/mounts
cat /proc/meminfo >$out/meminfo
df -k >$out/df
uname -r >$out/release
ls /lib >$out/lib
cat /etc/openwrt_release >$out/openwrt_release
cat /tmp/sysinfo/model >$out/model
[ -e /proc/config.gz ] && zcat /proc/config.gz >$out/config
true
