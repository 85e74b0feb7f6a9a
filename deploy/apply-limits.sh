#!/bin/bash
# apply-limits.sh: makes the limits of /etc/left4me/host.env those of every server's unit. The worker's unit runs it as root
# before it starts (ExecStartPre=+), with the file's variables in the environment. Servers that run get them at once: systemd
# applies what has changed when it reads its units again.
#
#   LEFT4ME_SERVER_MEMORY   like 3G or 1500M   (default 3G)     more, and the kernel ends the server
#   LEFT4ME_SERVER_CPU      like 150%          (default none)   100% is one processor
#   LEFT4ME_SERVER_TASKS    like 256           (default 256)    threads and processes together
# With --check it only looks whether they are right.
set -euo pipefail
memory=${LEFT4ME_SERVER_MEMORY:-3G} cpu=${LEFT4ME_SERVER_CPU:-} tasks=${LEFT4ME_SERVER_TASKS:-256}
file=/etc/systemd/system/left4me-server@.service.d/limits.conf

wrong() {
  echo "$1 is $2: it must look like $3 (/etc/left4me/host.env)" >&2
  exit 1
}
[[ $memory =~ ^[1-9][0-9]{0,8}[MG]$ ]] || wrong LEFT4ME_SERVER_MEMORY "$memory" '3G or 1500M'
[[ $cpu =~ ^([1-9][0-9]{0,4}%)?$ ]] || wrong LEFT4ME_SERVER_CPU "$cpu" '150%'
[[ $tasks =~ ^[1-9][0-9]{0,5}$ ]] || wrong LEFT4ME_SERVER_TASKS "$tasks" '256'
[ "${1:-}" != --check ] || exit 0

limits="# Written by left4me from /etc/left4me/host.env when its worker starts: change it there.
[Service]
MemoryMax=$memory
CPUQuota=$cpu
TasksMax=$tasks"
[ "$limits" != "$(cat "$file" 2>/dev/null)" ] || exit 0
mkdir -p "${file%/*}"
printf '%s\n' "$limits" >"$file.tmp"
# Said, not refused: the kernel first takes back what a server's files hold in memory.
bytes=$(numfmt --from=iec "$memory")
for unit in $(systemctl list-units --plain --no-legend --state=active 'left4me-server@*.service' | cut -d ' ' -f 1); do
  used=$(systemctl show --value --property=MemoryCurrent "$unit")
  [[ ! $used =~ ^[0-9]+$ ]] || [ "$used" -le "$bytes" ] ||
    echo "$unit uses $((used / 1048576)) MiB and may now use $memory: the kernel may end it" >&2
done
mv "$file.tmp" "$file"
systemctl daemon-reload
