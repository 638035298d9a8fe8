# The machine in a file, with what the samples need, and what diag says of each as if it were installed in /tmp.
cd /tmp/s || exit 2
set --
while IFS='|' read -r index path command arguments; do
	[ "$command" = true ] && set -- "$@" "$path"
done </tmp/bin/list
diag --record "$@" >/tmp/out/machine.tar 2>/tmp/out/recording.errors
while IFS='|' read -r index path command arguments; do
	[ "$command" = true ] && diag --json --dest /tmp "$path" >/tmp/out/$index.there 2>/dev/null </dev/null
done </tmp/bin/list
true
