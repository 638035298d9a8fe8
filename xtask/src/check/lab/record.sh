# The machine in a file, with what the samples need, and what diag says of each as if it were installed in /tmp: a computer's build
# where it is there, which says all that is said by the recording.
cd /tmp/s || exit 2
set --
while IFS='|' read -r index path command arguments; do
	[ "$command" = true ] && set -- "$@" "$path"
done </tmp/bin/list
diag --record "$@" >/tmp/out/machine.tar 2>/tmp/out/recording.errors
judge=diag
[ -x /tmp/bin/diag-every-machine ] && judge=diag-every-machine
while IFS='|' read -r index path command arguments; do
	[ "$command" = true ] && $judge --json --dest /tmp "$path" >/tmp/out/$index.there 2>/dev/null </dev/null
done </tmp/bin/list
true
