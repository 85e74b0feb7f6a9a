# What a script of an overlay must not get at: tried in bubblewrap (script-sandbox.spec.ts) and in the unit (deploy/test/script-overlays.ts).
# The lines before this one set OUTSIDE (paths that are there outside of the sandbox), PANEL (a process there), and ADDRESS and PORT of
# a web server of this machine. Prints `works: …` for what shows that an attempt itself is a good one, `refused: …`, and otherwise
# `FAILS: …` or `SUCCEEDED: …`. What it leaves in its overlay nobody must publish: links, attributes, a pipe.
may() {
  local name=$1 said
  shift
  if said=$("$@" 2>&1); then echo "works: $name"; else echo "FAILS: $name: ${said%%$'\n'*}"; fi
}
# With the words that a refusal has: an attempt that fails for another reason shows nothing.
try() {
  local name=$1 words=$2 said
  shift 2
  if said=$("$@" 2>&1) || ! grep -Eiq "$words" <<<"$said"; then echo "SUCCEEDED: $name: ${said%%$'\n'*}"; else echo "refused: $name"; fi
}

# Its own folders and processes.
for folder in "$LEFT4ME_OVERLAY" "$LEFT4ME_CACHE" /tmp; do may "write $folder" touch "$folder/mine"; done
may "end a process" bash -c 'sleep 9 & kill $!'
may "read the game" ls "$LEFT4ME_GAME"

# Other files, devices and the kernel's settings.
for folder in / "$LEFT4ME_GAME" /usr /usr/bin /etc /run/left4me /dev; do try "write $folder" 'read-only file system' touch "$folder/x"; done
try "change the game" 'read-only file system|permission denied' bash -c 'echo x >>"$(find "$LEFT4ME_GAME" -type f | head -n 1)"'
try "change the running script" 'read-only file system|permission denied' bash -c 'echo true >/run/left4me/script'
try "write shared memory" 'read-only file system|no such|permission denied' touch /dev/shm/x
try "set a core handler" 'read-only file system|permission denied|no such' bash -c 'echo "|/overlay/x" >/proc/sys/kernel/core_pattern'
try "press SysRq" 'read-only file system|permission denied|no such' bash -c 'echo b >/proc/sysrq-trigger'
try "change a device" 'read-only file system|not permitted' chmod 600 /dev/null
try "read the kernel's log" 'not permitted|no such|cannot open|permission denied' bash -c 'exec 9</dev/kmsg'
for path in $OUTSIDE /root /home /sys/fs /etc/shadow; do try "see $path" 'no such|permission denied|cannot open' ls "$path/"; done

# Rights.
try "a user namespace" 'not permitted|no space left' unshare --user true
try "a mount" 'must be superuser|permission denied|not permitted' mount -t tmpfs none /tmp
try "another root" 'not permitted' /usr/sbin/chroot / true
try "a device of its own" 'not permitted' mknod "$LEFT4ME_OVERLAY/device" c 1 1
echo "capabilities: $(grep ^Cap /proc/self/status | cut -f 2 | sort -u | xargs)"
echo "environment: $(env | cut -d = -f 1 | sort | xargs)"

# Processes of others, and what they know.
try "signal the panel" 'no such process' kill -0 "$PANEL"
try "read the panel's environment" 'no such' cat "/proc/$PANEL/environ"
echo "processes: $(ls -d /proc/[0-9]* | wc -l)"
echo "files with secrets: $(grep -rlsI "SECRET""_KEY=" / --exclude-dir=proc --exclude-dir=usr --exclude-dir=dev | xargs)"

# The network: through the proxy of scripts, and past it.
through_proxy() {
  exec 9<>/dev/tcp/127.0.0.1/3128 && printf 'GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' "$1" >&9 && cat <&9 | tr '\r' '\n'
}
get() { (through_proxy "$1") | grep -A 99 '^HTTP/1.1 ' | { read -r _ code _ && cat && [ "$code" = 200 ]; }; }
for place in "$ADDRESS" 127.0.0.1 10.0.0.1 169.254.169.254; do try "ask http://$place" 'public internet only' get "http://$place/"; done
try "ask the web server" 'not reached from scripts' get "http://$ADDRESS:$PORT/"
for place in "$ADDRESS" 127.0.0.1; do try "connect to $place" 'unreachable|refused' bash -c "exec 9<>/dev/tcp/$place/$PORT"; done

# What a build would publish.
echo forged >"$LEFT4ME_OVERLAY/forged.txt"
mkdir "$LEFT4ME_OVERLAY/opaque"
# setxattr(2) by its number: Debian has perl everywhere, and no other program for it.
if command -v perl >/dev/null; then
  may "forge attributes" perl -e 'my $number = `uname -m` =~ /aarch64/ ? 5 : 188;
    for (["forged.txt", "whiteout"], ["forged.txt", "metacopy"], ["forged.txt", "redirect"], ["opaque", "opaque"]) {
      my ($path, $name, $value) = ("/overlay/$_->[0]", "user.overlay.$_->[1]", "y");
      syscall($number, $path, $name, $value, 1, 0) == 0 or die "$name: $!\n";
    }'
fi
ln -s /etc/passwd "$LEFT4ME_OVERLAY/absolute"
ln -s ../../../settings "$LEFT4ME_OVERLAY/outside"
mkfifo "$LEFT4ME_OVERLAY/pipe"
try "a link to a file of the game" 'cross-device|read-only|not permitted' bash -c 'ln "$(find "$LEFT4ME_GAME" -type f | head -n 1)" "$LEFT4ME_OVERLAY/hard"'

# A daemon, which must not outlive it.
(setsid nohup sleep 98765 >/dev/null 2>&1 &)
may "a daemon" timeout 30 bash -c 'until cat /proc/[0-9]*/cmdline | tr "\0" " " | grep -q "[s]leep 98765"; do sleep 0.05; done'
