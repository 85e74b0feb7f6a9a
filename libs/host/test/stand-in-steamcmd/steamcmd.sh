#!/usr/bin/env bash
# Stand-in for Valve's start script of steamcmd: as there, a child (no exec) that is started again when it ends with 42,
# which it does after it has updated itself.
STEAMROOT="$(cd "${0%/*}" && echo "$PWD")"
STEAMEXE="$STEAMROOT/linux32/steamcmd"
MAGIC_RESTART_EXITCODE=42

"$STEAMEXE" "$@"
STATUS=$?

if [ $STATUS -eq $MAGIC_RESTART_EXITCODE ]; then
  exec "$0" "$@"
fi
exit $STATUS
