/**
 * The smallest recipe that builds something a machine can boot: an initrd.
 * @module
 */
const END = ".recipe.yaml";

/** The text of a recipe of this name. */
export function starterRecipe(name: string): string {
  return `# What to build, from what, and how. Pin the inputs: bootproof lock ${name}${END}
name: ${name}
version: "1"

# Files that the steps see, read-only, in /source. Each is one of:
#   - {file: init}                                        beside this recipe
#   - {debian: linux, version: 6.12.107-1, suite: trixie} a Debian source package
#   - {url: "https://...", sha256: "..."}
#   - {git: "https://...", commit: "..."}
source: []

# Debian packages; with what they depend on they are all that the steps can run.
toolchain:
  suite: trixie
  packages: [bash, busybox-static, coreutils, cpio, findutils]

env:
  SOURCE_DATE_EPOCH: "1735689600"

# Shell scripts, run in order in /build, without network and under a fixed clock.
steps:
  - name: pack
    run: |
      mkdir -p root/bin root/dev root/proc root/sys
      install -m 0755 /usr/bin/busybox root/bin/busybox
      printf '#!/bin/busybox sh\\necho "${name}: init reached"\\n/bin/busybox poweroff -f\\n' > root/init
      chmod 0755 root/init
      find root -type d -exec chmod 0755 {} +
      find root -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
      cd root
      find . -mindepth 1 -printf '%P\\0' | LC_ALL=C sort -z |
        cpio --null --create --format=newc --reproducible --owner=+0:+0 --quiet > ../initrd.cpio

# What is kept: path under /build, and what it is to a booting machine.
outputs:
  initrd.cpio: {path: initrd.cpio, kind: initrd}
`;
}
