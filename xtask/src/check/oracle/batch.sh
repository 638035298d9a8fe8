# diag's and the kernel's word on each name of /tmp/bin/names, in the folder of cases. What is asked for in
# $RUNNER goes to the runner. Results in /tmp/out.

cd /tmp/cases || exit 2
names=/tmp/bin/names
read -r begin rest </proc/uptime
/tmp/bin/batch 65534 200 /tmp/bin/diag --json -- <$names >/tmp/out/reports 2>/tmp/out/complaints || exit 3
read -r middle rest </proc/uptime
/tmp/bin/runner -b -u 65534 $RUNNER <$names >/tmp/out/answers || exit 4
read -r end rest </proc/uptime
echo $begin $middle $end >/tmp/out/times
