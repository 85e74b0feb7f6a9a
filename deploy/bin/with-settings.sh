#!/bin/sh
# left4me …, l4d2ctl …: the commands of this installation, with its settings and as its user. Linked from /usr/local/bin.
set -eu
settings=/etc/left4me/host.env
program=${0##*/}
case $program in
left4me) script=/opt/left4me/apps/api/bin/left4me.mjs ;;
l4d2ctl) script=/opt/left4me/libs/host/bin/l4d2ctl.mjs ;;
*) echo "$0: not a command of left4me" >&2 && exit 2 ;;
esac
if [ ! -r "$settings" ]; then
  echo "$program: $settings cannot be read: run it as root (sudo $program …)" >&2
  exit 1
fi
# The file's syntax is systemd's (EnvironmentFile=), not the shell's. What is set already wins.
while IFS= read -r line || [ -n "$line" ]; do
  case $line in
  [A-Z]*=*) ;;
  *) continue ;;
  esac
  name=${line%%=*}
  value=${line#*=}
  case $value in
  \"*\") value=${value#\"} value=${value%\"} ;;
  \'*\') value=${value#\'} value=${value%\'} ;;
  esac
  printenv "$name" >/dev/null || export "$name=$value"
done <"$settings"
umask 027
if [ "$(id -u)" = 0 ]; then
  export HOME=/var/lib/left4me
  exec setpriv --reuid=left4me --regid=left4me --init-groups -- /usr/bin/node "$script" "$@"
fi
exec /usr/bin/node "$script" "$@"
