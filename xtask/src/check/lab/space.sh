# Whether a file fits, as diag says it and as cp finds out. Arguments: files. Results in /tmp/out/space-N.*.
cd /tmp/s || exit 2
rm -f v2ray-cut-*
mkdir -p /mnt/small
mount -t tmpfs -o size=10854k tmpfs /mnt/small
n=0
for file; do
	for folder in /root /mnt/small /tmp/new; do
		mkdir -p $folder
		out=/tmp/out/space-$n
		n=$((n + 1))
		echo "$file $folder" >$out.case
		sync
		df -k $folder | tail -n 1 >$out.before
		diag --json --dest $folder ./$file >$out.json 2>$out.errors
		echo $? >$out.status
		diag --dest $folder ./$file >$out.text 2>>$out.errors
		cp ./$file $folder/copy 2>$out.cp
		echo $? >$out.cp-status
		sync
		df -k $folder | tail -n 1 >$out.after
		rm -f $folder/copy
	done
done
true
