/*
 * What somebody's overlay may bring along: a program that takes the server's place (srcds_run) and tries to get out, at
 * others, or at the panel. It prints a line for each attempt, `refused <what>` or `SUCCEEDED <what>`, then `hostile: done`.
 * With the argument `tasks` it forks until it cannot, with `outside` it only tries the paths and ports, and ends: run where
 * nothing hides them, it shows that they are the right ones.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void tell(int succeeded, const char *what) {
  printf("%s %s\n", succeeded ? "SUCCEEDED" : "refused", what);
  fflush(stdout);
}

static void tell_path(int succeeded, const char *what, const char *path) {
  char text[600];
  snprintf(text, sizeof text, "%s %s", what, path);
  tell(succeeded, text);
}

static int can_open(const char *path, int flags) {
  int fd = open(path, flags | O_CLOEXEC, 0600);
  if (fd < 0) return 0;
  close(fd);
  return 1;
}

/* Something is in it: a file that was covered by an empty one does not count. */
static int can_read(const char *path) {
  DIR *folder = opendir(path);
  if (folder != NULL) return closedir(folder) == 0;
  char byte;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return 0;
  int found = read(fd, &byte, 1) == 1;
  close(fd);
  return found;
}

/* The panel's settings in the environment of the first process, which may be read. */
static int finds_settings(void) {
  char text[4096] = "";
  FILE *file = fopen("/proc/1/environ", "r");
  if (file == NULL) return 0;
  size_t length = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  for (size_t i = 0; i < length; i++)
    if (text[i] == 0) text[i] = '\n';
  return strstr(text, "LEFT4ME") != NULL || strstr(text, "DATABASE_URL") != NULL || strstr(text, "SECRET") != NULL;
}

/* Runs in a child, so that an attempt that changes or ends the process does not end the others. */
static int in_child(int (*attempt)(void)) {
  pid_t pid = fork();
  if (pid == 0) _exit(attempt() ? 1 : 0);
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 1;
}

static int become_root(void) { return setresuid(0, 0, 0) == 0 || setuid(0) == 0 || geteuid() == 0; }
static int new_user_namespace(void) { return unshare(CLONE_NEWUSER) == 0; }
static int new_mount_namespace(void) { return unshare(CLONE_NEWNS) == 0; }
static int new_net_namespace(void) { return unshare(CLONE_NEWNET) == 0; }
static int mount_something(void) { return mount("tmpfs", "/tmp", "tmpfs", 0, "") == 0 || mount("/", "/tmp", NULL, MS_BIND, "") == 0; }
static int remount_root(void) { return mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL) == 0; }
static int unmount_something(void) { return umount2("/game", MNT_DETACH) == 0 || umount2("/proc/sys", MNT_DETACH) == 0; }
static int change_root(void) { return chroot("/tmp") == 0; }
static int make_device(void) { return mknod("/tmp/disk", S_IFBLK | 0666, makedev(8, 0)) == 0 || mknod("/game/mem", S_IFCHR | 0666, makedev(1, 1)) == 0; }
static int enter_others(void) {
  int fd = open("/proc/1/ns/mnt", O_RDONLY);
  return fd >= 0 && setns(fd, 0) == 0;
}
static int load_bpf(void) {
  /* union bpf_attr; tcc does not read linux/bpf.h. An array map (2) with keys and values of 4 bytes, and one entry. */
  unsigned attr[32] = {2, 4, 4, 1};
  return syscall(SYS_bpf, 0 /* BPF_MAP_CREATE */, attr, sizeof attr) >= 0;
}
static int watch_kernel(void) {
  struct perf_event_attr attr;
  memset(&attr, 0, sizeof attr);
  attr.size = sizeof attr, attr.type = PERF_TYPE_SOFTWARE, attr.config = PERF_COUNT_SW_CPU_CLOCK;
  return syscall(SYS_perf_event_open, &attr, -1, 0, -1, 0) >= 0;
}
static int load_module(void) { return syscall(SYS_init_module, "", 0, "") == 0 || syscall(SYS_finit_module, 0, "", 0) == 0; }
static int raw_socket(void) { return socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) >= 0 || socket(AF_PACKET, SOCK_RAW, 0) >= 0; }
static int set_clock(void) {
  struct timespec when = {0, 0};
  return syscall(SYS_clock_settime, 0, &when) == 0;
}
static int sudo_something(void) {
  char *const argv[] = {"sudo", "-n", "/usr/bin/systemctl", "reset-failed", "left4me-server@other.service", NULL};
  freopen("/dev/null", "w", stderr);
  execv("/usr/bin/sudo", argv);
  return 0; /* its exit code is 0, and in_child's 1, only when it works */
}

static int reach(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return 0;
  strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  int reached = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
  close(fd);
  return reached;
}

static int listens(int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return 0;
  int connected = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
  close(fd);
  return connected;
}

/* Processes besides our own session: pid 1 of this namespace, and what we forked. */
static int strangers(void) {
  int count = 0;
  DIR *proc = opendir("/proc");
  if (proc == NULL) return 0;
  for (struct dirent *entry; (entry = readdir(proc)) != NULL;) {
    int pid = atoi(entry->d_name);
    if (pid > 1 && pid != getpid() && pid != getppid()) count++;
  }
  closedir(proc);
  return count;
}

/* A descriptor that somebody forgot to close, of a folder or a file outside of what we may see. */
static int leaked_descriptors(void) {
  int count = 0;
  for (int fd = 3; fd < 256; fd++) {
    struct stat about;
    if (fstat(fd, &about) == 0 && (S_ISDIR(about.st_mode) || S_ISBLK(about.st_mode))) count++;
  }
  return count;
}

static void take_tasks(void) {
  int made = 0;
  while (made < 5000) {
    pid_t pid = fork();
    if (pid < 0) break;
    if (pid == 0) {
      pause();
      _exit(0);
    }
    made++;
  }
  printf("%s %d processes\n", made >= 5000 ? "SUCCEEDED" : "refused", made);
  fflush(stdout);
}

int main(int argc, char **argv) {
  static const char *const secrets[] = {
      "/etc/left4me/host.env", "/etc/left4me/web.env", "/etc/shadow",     "/etc/sudoers.d/left4me",
      "/var/lib/left4me",      "/var/lib/postgresql",  "/root",           "/home",
      "/opt/left4me",          "/var/log/journal",     "/run/systemd",    "/sys/fs/cgroup",
      "/sys/kernel",           "/dev/mem",             "/dev/kmsg",       "/proc/kcore",
      "/proc/kallsyms",
  };
  static const char *const writable[] = {
      "/usr/bin/hostile", "/etc/hostile", "/hostile", "/.left4me/server-init.sh", "/proc/sys/kernel/hostname", "/proc/sysrq-trigger",
  };
  static const char *const sockets[] = {
      "/run/postgresql/.s.PGSQL.5432", "/var/run/postgresql/.s.PGSQL.5432", "/run/redis-left4me/redis-server.sock",
      "/run/redis/redis-server.sock",  "/run/dbus/system_bus_socket",       "/run/systemd/private",
      "/run/systemd/journal/socket",   "/run/systemd/journal/stdout",       "/run/systemd/notify",
  };

  static const int ports[] = {5432, 6379};

  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "tasks") == 0) {
      sleep(3);
      take_tasks();
      printf("hostile: done\n");
      fflush(stdout);
      for (;;) pause();
    }
  }

  for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++) tell_path(can_read(secrets[i]), "to read", secrets[i]);
  for (size_t i = 0; i < sizeof sockets / sizeof *sockets; i++) tell_path(reach(sockets[i]), "to reach", sockets[i]);
  for (size_t i = 0; i < sizeof ports / sizeof *ports; i++) {
    char text[64];
    snprintf(text, sizeof text, "to reach port %d on loopback", ports[i]);
    tell(listens(ports[i]), text);
  }
  if (argc > 1 && strcmp(argv[1], "outside") == 0) return 0;
  tell(getuid() == 0 || geteuid() == 0, "to be uid 0");
  tell(in_child(become_root), "to become uid 0");
  for (size_t i = 0; i < sizeof writable / sizeof *writable; i++) tell_path(can_open(writable[i], O_WRONLY | O_CREAT), "to write", writable[i]);
  tell(finds_settings(), "to find settings in the environment");
  tell(strangers() > 0, "to see a process of somebody else");
  tell(kill(-1, SIGKILL) == 0 && strangers() > 0, "to kill a process of somebody else");
  tell(in_child(enter_others), "to enter another mount namespace");
  tell(in_child(new_user_namespace), "to make a user namespace");
  tell(in_child(new_mount_namespace), "to make a mount namespace");
  tell(in_child(new_net_namespace), "to make a network namespace");
  tell(in_child(mount_something), "to mount");
  tell(in_child(remount_root), "to make the root writable");
  tell(in_child(unmount_something), "to unmount");
  tell(in_child(change_root), "to change the root");
  tell(in_child(make_device), "to make a device");
  tell(in_child(load_bpf), "to load a BPF map");
  tell(in_child(watch_kernel), "to watch the kernel");
  tell(in_child(load_module), "to load a module");
  tell(in_child(raw_socket), "to open a raw socket");
  tell(in_child(set_clock), "to set the clock");
  pid_t pid = fork();
  if (pid == 0) {
    sudo_something();
    _exit(1);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  tell(WIFEXITED(status) && WEXITSTATUS(status) == 0, "to use sudo");
  tell(leaked_descriptors() > 0, "to find a descriptor that was left open");
  printf("hostile: done\n");
  fflush(stdout);
  for (;;) pause();
}
