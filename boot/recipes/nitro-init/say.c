/* Lines on the console: the only place where an enclave can say why it did not start. */
#include "init.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <termios.h>
#include <unistd.h>

enum { MAX_LINE = 512 };

/* Writes one line whole; what does not fit is cut, and a console that fails is no reason to stop. */
static void write_line(const char *before, const char *format, va_list values, const char *reason) {
  char line[MAX_LINE];
  int length = snprintf(line, sizeof line, "%s", before);
  length += vsnprintf(line + length, sizeof line - (size_t)length, format, values);
  if (length >= MAX_LINE) length = MAX_LINE - 1;
  if (reason != NULL) length += snprintf(line + length, sizeof line - (size_t)length, ": %s", reason);
  if (length >= MAX_LINE - 1) length = MAX_LINE - 2;
  line[length++] = '\n';
  for (int done = 0; done < length;) {
    ssize_t wrote = write(STDERR_FILENO, line + done, (size_t)(length - done));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return;
    done += (int)wrote;
  }
}

void say(const char *format, ...) {
  va_list values;
  va_start(values, format);
  write_line("bootproof: ", format, values, NULL);
  va_end(values);
}

void fail(const char *format, ...) {
  const char *reason = errno == 0 ? NULL : strerror(errno);
  va_list values;
  va_start(values, format);
  write_line("bootproof: failed: ", format, values, reason);
  va_end(values);
  if (getpid() != 1) _exit(127);
  end_enclave();
}

void end_enclave(void) {
  say("the enclave ends");
  sync();
  (void)tcdrain(STDERR_FILENO);
  (void)reboot(RB_AUTOBOOT);
  /* Refused to a process that is not the first: then its end must do, which makes the kernel panic. */
  _exit(1);
}
