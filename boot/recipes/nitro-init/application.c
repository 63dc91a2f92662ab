/* The program of the image: as whom, where, with which arguments and variables, and until when. */
#include "init.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* One more than the largest id: -1 means "leave it" to the kernel. */
static const unsigned long MAX_ID = 4294967294UL;

/* Reads a decimal id up to `end`, and nothing else: a sign, a space or a name is refused. */
static unsigned long parse_id(const char *digits, char end, const char **rest) {
  char *after;
  errno = 0;
  unsigned long id = strtoul(digits, &after, 10);
  if (errno == 0 && (digits[0] < '0' || digits[0] > '9' || *after != end || id > MAX_ID)) errno = EINVAL;
  if (errno != 0) fail("/user has no uid:gid in decimal");
  *rest = after;
  return id;
}

static void read_user(struct application *application) {
  struct lines user = read_lines("/user");
  errno = 0;
  if (user.count == 0) return;
  if (user.count > 1) fail("/user has more than one line");
  const char *rest;
  application->user = (uid_t)parse_id(user.line[0], ':', &rest);
  application->group = (gid_t)parse_id(rest + 1, '\0', &rest);
}

struct application read_application(void) {
  struct application application = {.folder = "/"};
  application.command = read_lines("/cmd");
  application.environment = read_lines("/env");
  errno = 0;
  if (application.command.count == 0) fail("no /cmd in the ramdisks: nothing to run");
  for (size_t index = 0; index < application.environment.count; index++)
    if (strchr(application.environment.line[index], '=') == NULL)
      fail("line %zu of /env is no NAME=VALUE", index + 1);
  struct lines folder = read_lines("/cwd");
  if (folder.count > 1) fail("/cwd has more than one line");
  if (folder.count == 1) application.folder = folder.line[0];
  read_user(&application);
  return application;
}

/* The image's variables, and the three that programs take for granted where it has them not. */
static void set_environment(const struct application *application) {
  environ = application->environment.line;
  if (setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 0) != 0 ||
      setenv("HOME", application->user == 0 ? "/root" : "/", 0) != 0 || setenv("TERM", "linux", 0) != 0)
    fail("memory for the environment");
}

/* The console goes with them, or /dev/stdout could not be opened again by another than root. */
static void become_user(const struct application *application) {
  if (application->user == 0 && application->group == 0) return;
  if (fchown(STDOUT_FILENO, application->user, (gid_t)-1) != 0) fail("chown of the console");
  if (setgroups(0, NULL) != 0) fail("setgroups");
  if (setresgid(application->group, application->group, application->group) != 0)
    fail("setgid %u", application->group);
  if (setresuid(application->user, application->user, application->user) != 0)
    fail("setuid %u", application->user);
}

__attribute__((noreturn)) static void become(const struct application *application) {
  if (setsid() < 0) fail("setsid");
  set_environment(application);
  become_user(application);
  if (chdir(application->folder) != 0) fail("chdir %s", application->folder);
  execvp(application->command.line[0], application->command.line);
  fail("exec %s", application->command.line[0]);
}

void run_application(const struct application *application) {
  say("starts %s", application->command.line[0]);
  pid_t child = fork();
  if (child < 0) fail("fork");
  if (child == 0) become(application);
  int status = 0;
  for (pid_t ended = 0; ended != child;) {
    ended = waitpid(-1, &status, 0);
    if (ended < 0 && errno != EINTR) fail("wait");
  }
  if (WIFEXITED(status)) say("the application ended with status %d", WEXITSTATUS(status));
  else say("the application was ended by signal %d", WTERMSIG(status));
}
