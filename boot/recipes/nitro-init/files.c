/* The files of the application's ramdisk that tell what to run. */
#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Far beyond what execve takes; a larger file is a mistake, not a command. */
enum { MAX_FILE = 1 << 20 };

/* Reads until `capacity` bytes or the end of the file; returns how many there were. */
static size_t read_up_to(const char *path, int file, char *text, size_t capacity) {
  size_t length = 0;
  while (length < capacity) {
    ssize_t count = read(file, text + length, capacity - length);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("read %s", path);
    if (count == 0) break;
    length += (size_t)count;
  }
  return length;
}

static void close_checked(const char *path, int file) {
  if (close(file) != 0) fail("close %s", path);
}

/* A file's content as a string, or NULL if there is no such file. */
static char *read_file(const char *path, size_t *length) {
  int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (file < 0 && errno == ENOENT) return NULL;
  if (file < 0) fail("open %s", path);
  struct stat status;
  if (fstat(file, &status) != 0) fail("stat %s", path);
  errno = 0;
  if (!S_ISREG(status.st_mode)) fail("%s is not a file", path);
  if (status.st_size > MAX_FILE) fail("%s is larger than 1 MiB", path);
  char *text = malloc((size_t)status.st_size + 1);
  if (text == NULL) fail("memory for %s", path);
  *length = read_up_to(path, file, text, (size_t)status.st_size);
  text[*length] = '\0';
  close_checked(path, file);
  errno = 0;
  if (memchr(text, '\0', *length) != NULL) fail("%s has a zero byte", path);
  return text;
}

struct lines read_lines(const char *path) {
  size_t length = 0;
  char *text = read_file(path, &length);
  size_t count = 0;
  for (size_t at = 0; at < length; at++)
    if (text[at] == '\n' || at + 1 == length) count++;
  /* The text stays for good: the lines point into it. */
  char **line = calloc(count + 1, sizeof *line);
  if (line == NULL) fail("memory for %s", path);
  char *next = text;
  for (size_t index = 0; index < count; index++) {
    line[index] = next;
    next += strcspn(next, "\n");
    *next++ = '\0';
  }
  return (struct lines){.count = count, .line = line};
}

void read_text(const char *path, char *text, size_t capacity) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) fail("open %s", path);
  text[read_up_to(path, file, text, capacity - 1)] = '\0';
  close_checked(path, file);
}
