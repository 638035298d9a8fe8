# What the guest does with each sample: diag's word first, then the kernel's, then ash's. Arguments: the list.
# Each line of it: INDEX, PATH, COMMAND that makes the sample (or "true"), ARGUMENTS; separated by "|".
# Results in /tmp/out/INDEX.*.

cd /tmp/s || exit 2
PATH=$PATH:/tmp/bin
list=$1

while IFS='|' read -r index path command arguments; do
	eval "$command" </dev/null || echo "$index: $command: failed"
done <"$list"

while IFS='|' read -r index path command arguments; do
	out=/tmp/out/$index
	diag --json "$path" >$out.json 2>$out.errors </dev/null
	echo $? >$out.status
	diag "$path" >$out.text 2>>$out.errors </dev/null
	diag --strict -q "$path" >/dev/null 2>>$out.errors </dev/null
	echo $? >$out.strict
	runner $out.kernel "$path" $arguments >$out.said 2>&1 </dev/null
	STATUS=$out.ash-status busybox timeout 20 ash -c '"$@"; echo "$?" >"$STATUS"' ash "$path" $arguments \
		>$out.ash 2>&1 </dev/null
	# All that counts is the beginning.
	for file in $out.said $out.ash; do
		[ "$(wc -c <$file)" -gt 4000 ] && { head -c 4000 $file >$file.cut; mv $file.cut $file; }
	done
done <"$list"
true
