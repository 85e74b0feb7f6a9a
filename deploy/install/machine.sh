# shellcheck shell=bash
# Debian's packages, users, folders and settings.

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

is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

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
  for folder in installation builds instances cache trash; do
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
