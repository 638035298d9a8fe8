# Runs the commands, and sends what came of it: their output through /dev/OUTPUT, their status and /tmp/out
# through /dev/RESULTS.
mkdir -p /tmp/out
for port in OUTPUT RESULTS; do
	case $port in ttyS*) busybox stty -F /dev/$port raw -echo ;; esac
done
if [ -d /tmp/.lab/root ]; then
	cp -a /tmp/.lab/root/. / || fail "copy the files in"
fi
commands=$(cat /tmp/.lab/commands)
mkfifo /tmp/.lab/output
cat /tmp/.lab/output >/dev/OUTPUT &
sender=$!
exec 3>/tmp/.lab/output
rm -rf /tmp/.lab
cd /tmp || fail "cd /tmp"
env -i HOME=/root USER=root LOGNAME=root SHELL=/bin/ash TERM=vt100 PATH=$PATH PWD=/tmp \
	ash -c "$commands" >&3 2>&1 3>&-
status=$?

# Whatever they left running would hold the output open for ever.
for process in /proc/[0-9]*; do
	id=${process#/proc/}
	[ "$id" = 1 ] || [ "$id" = $sender ] || kill -9 "$id" 2>/dev/null
done
exec 3>&-
wait $sender

{
	echo "status $status"
	tar -C /tmp/out -czf - .
} >/dev/RESULTS
poweroff -f
