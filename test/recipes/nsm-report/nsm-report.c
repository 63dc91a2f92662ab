/*
 * What an enclave sees of itself, on the console: the replies of its security module, byte for byte
 * in hex, and what the program was given: arguments, variables, folder, user. Each further argument
 * is a path, of which it says what is there, so that a test can tell what became of an image's files.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/nsm.h>

enum { MAX_REPLY = 12288, PCRS = 32, MAX_SHOWN = 256 };

extern char **environ;

static void say(const char *what) {
  if (printf("report: %s\n", what) < 0) exit(3);
}

static void fail(const char *what) {
  printf("report: failed: %s: %s\nreport: end\n", what, strerror(errno));
  fflush(stdout);
  exit(1);
}

static void print_hex(const unsigned char *bytes, size_t length) {
  for (size_t index = 0; index < length; index++) printf("%02x", bytes[index]);
  printf("\n");
}

static void ask(int device, const char *name, const unsigned char *request, size_t length) {
  static unsigned char reply[MAX_REPLY];
  struct nsm_raw message = {
      .request = {.addr = (uint64_t)(uintptr_t)request, .len = length},
      .response = {.addr = (uint64_t)(uintptr_t)reply, .len = sizeof reply},
  };
  if (ioctl(device, NSM_IOCTL_RAW, &message) != 0) fail(name);
  printf("nsm: %s ", name);
  print_hex(reply, message.response.len);
}

/* Requests are CBOR: a name alone, or a map of the name and its fields. */
static void ask_all(void) {
  int device = open("/dev/nsm", O_RDWR | O_CLOEXEC);
  if (device < 0) fail("open /dev/nsm");
  ask(device, "DescribeNSM", (const unsigned char *)"\x6b" "DescribeNSM", 12);
  for (unsigned index = 0; index < PCRS; index++) {
    unsigned char request[32] = "\xa1\x6b" "DescribePCR" "\xa1\x65" "index";
    size_t length = 20;
    if (index >= 24) request[length++] = 0x18;
    request[length++] = (unsigned char)index;
    char name[24];
    snprintf(name, sizeof name, "DescribePCR %u", index);
    ask(device, name, request, length);
  }
  static const char attestation[] =
      "\xa1\x6b" "Attestation" "\xa3\x69" "user_data" "\xf6\x65" "nonce" "\xf6\x6a" "public_key" "\xf6";
  ask(device, "Attestation", (const unsigned char *)attestation, sizeof attestation - 1);
  close(device);
}

static void show_command_line(void) {
  char text[4096];
  FILE *file = fopen("/proc/cmdline", "re");
  if (file == NULL || fgets(text, sizeof text, file) == NULL) fail("read /proc/cmdline");
  fclose(file);
  printf("command line: %s%s", text, strchr(text, '\n') == NULL ? "\n" : "");
}

static void show_file(const char *path) {
  struct stat status;
  if (lstat(path, &status) != 0) {
    printf("file: %s %s\n", path, errno == ENOENT ? "absent" : strerror(errno));
    return;
  }
  printf("file: %s mode=%o owner=%u:%u links=%u inode=%llu size=%llu", path, status.st_mode, status.st_uid,
         status.st_gid, (unsigned)status.st_nlink, (unsigned long long)status.st_ino,
         (unsigned long long)status.st_size);
  unsigned char shown[MAX_SHOWN];
  ssize_t length = -1;
  if (S_ISLNK(status.st_mode)) length = readlink(path, (char *)shown, sizeof shown);
  if (S_ISREG(status.st_mode)) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) fail(path);
    length = read(file, shown, sizeof shown);
    close(file);
  }
  printf(" content=");
  print_hex(shown, length < 0 ? 0 : (size_t)length);
}

int main(int count, char **arguments) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  say("start");
  show_command_line();
  ask_all();
  for (int index = 0; index < count; index++) printf("argument: %s\n", arguments[index]);
  for (char **variable = environ; *variable != NULL; variable++) printf("variable: %s\n", *variable);
  char folder[MAX_SHOWN];
  if (getcwd(folder, sizeof folder) == NULL) fail("getcwd");
  printf("folder: %s\nuser: %u:%u effective %u\n", folder, getuid(), getgid(), geteuid());
  for (int index = 1; index < count; index++) show_file(arguments[index]);
  say("end");
  return 0;
}
