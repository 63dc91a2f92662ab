/* The heartbeat: the parent waits for it, and gives an enclave up that does not send it. */
#include "init.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <linux/vm_sockets.h>

enum { PARENT_CID = 3, HEARTBEAT_PORT = 9000, HEARTBEAT = 0xb7, SECONDS = 10 };

/* The value of NAME=VALUE in the kernel's command line, the last one if there are several, as the kernel has it. */
static const char *find_value(const char *words, const char *name, char *value, size_t capacity) {
  const char *found = NULL;
  size_t length = strlen(name);
  for (const char *word = words + strspn(words, " \t\n"); *word != '\0'; word += strspn(word, " \t\n")) {
    size_t size = strcspn(word, " \t\n");
    if (size > length && strncmp(word, name, length) == 0 && word[length] == '=') {
      errno = 0;
      if (size - length > capacity) fail("the value of %s is too long", name);
      memcpy(value, word + length + 1, size - length - 1);
      value[size - length - 1] = '\0';
      found = value;
    }
    word += size;
  }
  return found;
}

static unsigned parse_cid(const char *digits) {
  char *end;
  errno = 0;
  unsigned long cid = strtoul(digits, &end, 10);
  if (errno == 0 && (digits[0] < '0' || digits[0] > '9' || *end != '\0' || cid > UINT32_MAX)) errno = EINVAL;
  if (errno != 0) fail("bootproof.heartbeat_cid=%s", digits);
  return (unsigned)cid;
}

static void exchange(int parent) {
  unsigned char byte = HEARTBEAT;
  ssize_t count;
  do count = send(parent, &byte, 1, MSG_NOSIGNAL);
  while (count < 0 && errno == EINTR);
  if (count < 0) fail("heartbeat: send");
  byte = 0;
  do count = recv(parent, &byte, 1, 0);
  while (count < 0 && errno == EINTR);
  if (count < 0) fail("heartbeat: no answer");
  errno = 0;
  if (count == 0) fail("heartbeat: the parent closed the connection");
  if (byte != HEARTBEAT) fail("heartbeat: the parent answered 0x%02x", byte);
}

void send_heartbeat(const char *kernel_command_line) {
  char value[16];
  const char *asked = find_value(kernel_command_line, "bootproof.heartbeat", value, sizeof value);
  if (asked != NULL && strcmp(asked, "off") == 0) {
    say("heartbeat: off");
    return;
  }
  const char *other = find_value(kernel_command_line, "bootproof.heartbeat_cid", value, sizeof value);
  unsigned cid = other == NULL ? PARENT_CID : parse_cid(other);

  int parent = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (parent < 0) fail("heartbeat: vsock");
  struct timeval limit = {.tv_sec = SECONDS};
  if (setsockopt(parent, AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT, &limit, sizeof limit) != 0 ||
      setsockopt(parent, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) != 0 ||
      setsockopt(parent, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) != 0)
    fail("heartbeat: time limit");
  struct sockaddr_vm address = {.svm_family = AF_VSOCK, .svm_cid = cid, .svm_port = HEARTBEAT_PORT};
  if (connect(parent, (const struct sockaddr *)&address, sizeof address) != 0)
    fail("heartbeat: no parent at cid %u port %d", cid, HEARTBEAT_PORT);
  exchange(parent);
  if (close(parent) != 0) fail("heartbeat: close");
  say("heartbeat: answered by cid %u", cid);
}
