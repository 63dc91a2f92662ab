/* From the ramdisk to the image's root, and the file systems that a program expects there. */
#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static void make_folder(const char *path, mode_t mode) {
  if (mkdir(path, mode) != 0 && errno != EEXIST) fail("mkdir %s", path);
}

static void mount_on(const char *type, const char *path, unsigned long flags, const char *options) {
  if (mount(type, path, type, flags, options) != 0) fail("mount %s on %s", type, path);
}

/* For what another kernel than ours may have been built without. */
static void mount_if_known(const char *type, const char *path, unsigned long flags) {
  if (mount(type, path, type, flags, NULL) == 0) return;
  if (errno != ENODEV && errno != ENOENT) fail("mount %s on %s", type, path);
  say("no %s on %s: this kernel has none", type, path);
}

static void link_to(const char *target, const char *path) {
  if (symlink(target, path) != 0 && errno != EEXIST) fail("symlink %s", path);
}

/* The kernel may have started us without a console: then the descriptors 0, 1 and 2 are free. */
static void open_console(void) {
  int console = open("/dev/console", O_RDWR | O_NOCTTY);
  if (console < 0) fail("open /dev/console");
  for (int number = STDIN_FILENO; number <= STDERR_FILENO; number++)
    if (console != number && dup2(console, number) < 0) fail("dup2 of the console");
  if (console > STDERR_FILENO && close(console) != 0) fail("close of the console");
}

void mount_early(void) {
  make_folder("/dev", 0755);
  make_folder("/proc", 0555);
  /* A kernel may have done it already (CONFIG_DEVTMPFS_MOUNT). */
  if (mount("devtmpfs", "/dev", "devtmpfs", MS_NOSUID, "mode=0755") != 0 && errno != EBUSY)
    fail("mount devtmpfs on /dev");
  open_console();
  mount_on("proc", "/proc", MS_NODEV | MS_NOSUID | MS_NOEXEC, NULL);
}

void enter_root(const char *root) {
  if (umount2("/proc", MNT_DETACH) != 0) fail("umount /proc");
  if (umount2("/dev", MNT_DETACH) != 0) fail("umount /dev");
  /* Onto itself first, for only a mount can be moved; then a process that leaves its chroot is still in it. */
  if (mount(root, root, NULL, MS_BIND, NULL) != 0) fail("bind %s", root);
  if (chdir(root) != 0) fail("chdir %s", root);
  if (mount(".", "/", NULL, MS_MOVE, NULL) != 0) fail("move %s to /", root);
  if (chroot(".") != 0) fail("chroot %s", root);
  if (chdir("/") != 0) fail("chdir /");
}

void mount_all(void) {
  make_folder("/dev", 0755);
  make_folder("/proc", 0555);
  make_folder("/sys", 0555);
  make_folder("/run", 0755);
  make_folder("/tmp", 01777);
  /* Everything is in memory already, so that what the image has in these two is left where it is. */
  if (chmod("/tmp", 01777) != 0) fail("chmod /tmp");
  mount_on("proc", "/proc", MS_NODEV | MS_NOSUID | MS_NOEXEC, NULL);
  mount_on("sysfs", "/sys", MS_NODEV | MS_NOSUID | MS_NOEXEC, NULL);
  mount_if_known("cgroup2", "/sys/fs/cgroup", MS_NODEV | MS_NOSUID | MS_NOEXEC);
  mount_on("devtmpfs", "/dev", MS_NOSUID, "mode=0755");
  make_folder("/dev/pts", 0755);
  mount_on("devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC, "mode=0620,gid=5,ptmxmode=0666");
  make_folder("/dev/shm", 01777);
  mount_on("tmpfs", "/dev/shm", MS_NODEV | MS_NOSUID, "mode=1777");
  make_folder("/dev/mqueue", 01777);
  mount_if_known("mqueue", "/dev/mqueue", MS_NODEV | MS_NOSUID | MS_NOEXEC);
  link_to("/proc/self/fd", "/dev/fd");
  link_to("/proc/self/fd/0", "/dev/stdin");
  link_to("/proc/self/fd/1", "/dev/stdout");
  link_to("/proc/self/fd/2", "/dev/stderr");
}
