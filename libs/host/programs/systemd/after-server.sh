#!/bin/sh
# after-server.sh <name>
# ExecStopPost of left4me-server@<name>.service: notes in instances/<name>/end when this run ended because the kernel
# killed something of it for want of memory. systemd sees that on cgroup v2 only. Needs LEFT4ME_ROOT and what systemd
# sets: INVOCATION_ID, EXIT_CODE, EXIT_STATUS (systemd.exec(5)).
set -eu
instance=$LEFT4ME_ROOT/instances/$1
# A crash of another kind is none, though something else may have been killed before, which the server survived.
case ${EXIT_CODE-}:${EXIT_STATUS-} in
killed:KILL | dumped:KILL | exited:137) ;;
killed:* | dumped:*) exit 0 ;;
exited:*) [ "${EXIT_STATUS:-0}" -le 128 ] || exit 0 ;;
esac
before=0
[ ! -r "$instance/oom-before" ] || read -r before <"$instance/oom-before" || before=0
[ "$(/bin/sh "${0%/*}/oom-kills.sh")" -gt "$before" ] || exit 0
echo "left4me: the server used up its memory, and the kernel ended it" >&2
printf '%s oom\n' "$INVOCATION_ID" >"$instance/end.tmp"
mv "$instance/end.tmp" "$instance/end"
