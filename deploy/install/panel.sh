# shellcheck shell=bash
# Units, rights, the first admin and the start.

install_units() {
  local file
  install -d -m 0755 "$UNITS"
  # Mount points are made in it, for each script that runs.
  install -d -m 0755 "${SCRIPT_ROOT%/*}" "$SCRIPT_ROOT"
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
  local unit file
  for unit in "$@"; do
    file=$SETTINGS/host.env
    [ "$unit" = left4me-worker ] || file=$SETTINGS/web.env
    quietly systemctl enable "$unit.service"
    systemctl restart "$unit.service" || {
      journalctl --no-pager --quiet --lines=20 --unit="$unit.service" >&2 || :
      die "$unit does not start, see above: correct $file, which a further run keeps as it is, and run this again. Game servers run on."
    }
  done
}

panel_address() {
  local url bind port
  url=$(sed -n 's/^LEFT4ME_PUBLIC_URL=//p' "$SETTINGS/web.env")
  bind=$(sed -n 's/^LEFT4ME_BIND=//p' "$SETTINGS/web.env")
  port=$(sed -n 's/^LEFT4ME_PORT=//p' "$SETTINGS/web.env")
  # An address that somebody can open.
  case $bind in 0.0.0.0 | ::) bind=$(hostname -I | cut -d ' ' -f 1) ;; esac
  say "${url:-http://${bind:-127.0.0.1}:${port:-8080}}"
}
