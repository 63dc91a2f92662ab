/* What the parts of the init share. Every failure ends the enclave with a line that names it. */
#ifndef BOOTPROOF_INIT_H
#define BOOTPROOF_INIT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* say.c: lines on the console, each written at once. */
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);
/* Says what failed and errno's reason, then restarts, which ends an enclave. */
__attribute__((format(printf, 1, 2), noreturn)) void fail(const char *format, ...);
__attribute__((noreturn)) void end_enclave(void);

/* files.c: the files that tell what to run. */
struct lines {
  size_t count;
  char **line; /* ends with NULL, as argv and environ do */
};
/* The lines of a file; each ends with '\n', only the last may lack it. No line at all if it is absent. */
struct lines read_lines(const char *path);
/* The first `capacity` - 1 bytes of a file of /proc, which has no size, as a string. */
void read_text(const char *path, char *text, size_t capacity);

/* mounts.c: the file systems that a program expects. */
void mount_early(void);
void enter_root(const char *root);
void mount_all(void);

/* heartbeat.c: tells the parent that the enclave came up, and waits for its answer. */
void send_heartbeat(const char *kernel_command_line);

/* application.c: the program of the image. */
struct application {
  struct lines command;
  struct lines environment;
  const char *folder;
  uid_t user;
  gid_t group;
};
struct application read_application(void);
/* Runs it to its end, and buries every process that is left to us meanwhile. */
void run_application(const struct application *application);

#endif
