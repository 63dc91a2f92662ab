/*
 * The first process of an enclave, and all there is of a system beside the image's own files.
 *
 * The application's ramdisk has the image in /rootfs, and beside it /cmd (an argument a line), /env
 * (a variable a line), /cwd and /user (uid:gid), all but /cmd optional. The init says on the console
 * what it does, sends the heartbeat, makes /rootfs the root with the file systems that programs
 * expect, runs the command, and ends the enclave when it ends.
 */
#include "init.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* The kernel's own limit of a command line on x86 and arm64. */
enum { MAX_COMMAND_LINE = 2048, MAX_OPEN_FILES = 1 << 20 };

/* An enclave's only interface: the kernel gives it its addresses when it goes up. */
static void start_loopback(void) {
  int any = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (any < 0) fail("loopback: socket");
  struct ifreq request = {.ifr_flags = IFF_UP};
  memcpy(request.ifr_name, "lo", sizeof "lo");
  if (ioctl(any, SIOCSIFFLAGS, &request) != 0) fail("loopback: up");
  if (close(any) != 0) fail("loopback: close");
}

static void set_limits(void) {
  static const char name[] = "localhost";
  if (sethostname(name, sizeof name - 1) != 0) fail("sethostname");
  /* As many as containers have, for programs that ask for them. */
  struct rlimit files = {.rlim_cur = 1024, .rlim_max = MAX_OPEN_FILES};
  if (setrlimit(RLIMIT_NOFILE, &files) != 0) fail("setrlimit");
}

int main(void) {
  errno = 0;
  if (getpid() != 1) fail("not the first process");
  (void)umask(0);
  mount_early();
  say("init");
  char command_line[MAX_COMMAND_LINE + 1];
  read_text("/proc/cmdline", command_line, sizeof command_line);
  struct application application = read_application();
  send_heartbeat(command_line);
  start_loopback();
  set_limits();
  enter_root("/rootfs");
  mount_all();
  (void)umask(022);
  run_application(&application);
  end_enclave();
}
