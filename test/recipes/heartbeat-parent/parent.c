/*
 * The parent of an enclave, as far as the heartbeat goes: the first process of a machine beside the
 * enclave's, with vsock number 3. It answers every connection to port 9000 with the byte it was sent.
 */
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/vm_sockets.h>

enum { HEARTBEAT_PORT = 9000 };

static int fail(const char *what) {
  perror(what);
  (void)reboot(RB_AUTOBOOT);
  return 1;
}

int main(void) {
  int listener = socket(AF_VSOCK, SOCK_STREAM, 0);
  if (listener < 0) return fail("parent: socket");
  struct sockaddr_vm address = {
      .svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_ANY, .svm_port = HEARTBEAT_PORT};
  if (bind(listener, (const struct sockaddr *)&address, sizeof address) != 0) return fail("parent: bind");
  if (listen(listener, 1) != 0) return fail("parent: listen");
  fprintf(stderr, "parent: ready\n");
  for (;;) {
    unsigned char byte;
    int enclave = accept(listener, NULL, NULL);
    if (enclave < 0) return fail("parent: accept");
    if (recv(enclave, &byte, 1, 0) != 1) return fail("parent: receive");
    if (send(enclave, &byte, 1, MSG_NOSIGNAL) != 1) return fail("parent: send");
    fprintf(stderr, "parent: answered 0x%02x\n", byte);
    (void)close(enclave);
  }
}
