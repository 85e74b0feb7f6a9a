#!/bin/sh
# left4me …, l4d2ctl …: the commands of this installation, with its settings and as its user. Linked from /usr/local/bin.
# `left4me doctor` of root looks at the API and at the worker, each with its own settings and as its own user.
set -eu
folder=/etc/left4me
program=${0##*/}
case $program in
left4me) script=/opt/left4me/apps/api/bin/left4me.mjs ;;
l4d2ctl) script=/opt/left4me/libs/host/bin/l4d2ctl.mjs ;;
*) echo "$0: not a command of left4me" >&2 && exit 2 ;;
esac

# run <settings> <user> <argument…>: in this process's place
run() {
  settings=$folder/$1 user=$2
  shift 2
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
    exec setpriv --reuid="$user" --regid="$user" --init-groups -- /usr/bin/node "$script" "$@"
  fi
  exec /usr/bin/node "$script" "$@"
}

if [ "$program ${1-}" != "left4me doctor" ] || [ "$(id -u)" != 0 ]; then run host.env left4me "$@"; fi
if [ ! -e "$folder/web.env" ]; then run host.env left4me "$@" --role worker; fi
code=0
web=$(run web.env left4me-web "$@" --role api) || code=1
host=$(run host.env left4me "$@" --role worker) || code=1
case " $* " in
*" --json "*)
  /usr/bin/node -e 'console.log(JSON.stringify(process.argv.slice(1).flatMap((list) => JSON.parse(list)), null, 2))' "$web" "$host"
  ;;
*) printf 'API (web.env):\n%s\n\nWorker (host.env):\n%s\n' "$web" "$host" ;;
esac
exit $code
