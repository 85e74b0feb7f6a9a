#!/bin/sh
# start-server.sh <name>
# What left4me-server@<name>.service runs: becomes the server that `start` prepared. instances/<name>/launch has the
# arguments of launch-server.sh, one a line. Needs LEFT4ME_ROOT. Ends with 75 when the instance's lock is held, so that
# there is never a second copy of a server.
set -eu
programs=${0%/*}/..
name=$1
instance=$LEFT4ME_ROOT/instances/$name
[ -f "$instance/launch" ] || {
  echo "$name has never been started by the panel or by l4d2ctl: $instance/launch is missing" >&2
  exit 66
}
# The launcher makes it when the server is all that is left to begin.
rm -f "$instance/launched"
# What after-server.sh compares with.
/bin/sh "${0%/*}/oom-kills.sh" >"$instance/oom-before"
set --
while IFS= read -r word; do set -- "$@" "$word"; done <"$instance/launch"
# Its standard error gets another priority than its standard output, and "<3>" at a line's begin is text like any other. The identifier: journal-entry.ts. The line on the standard input: see launch-server.sh.
exec systemd-cat --identifier="left4me-server@$name" --priority=info --stderr-priority=warning --level-prefix=false \
  /bin/sh "$programs/with-lock.sh" "$instance/lock" /bin/sh "$programs/launch-server.sh" "$@" <<LINE
go
LINE
