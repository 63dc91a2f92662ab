/**
 * `bootproof init FILE`: a small recipe that builds, to start from.
 * @module
 */
import { basename, resolve } from "node:path";

import type { Command } from "commander";

import { EXIT } from "../frame/exit-code.ts";
import { Failure } from "../frame/failure.ts";
import type { Frame } from "../frame/frame.ts";
import { badValue } from "../frame/given.ts";
import { shellWord, shownPath } from "../frame/typed.ts";
import { printable } from "../report/printable.ts";

const END = ".recipe.yaml";

/** Defines `init`. */
export function defineInit(parent: Command, frame: Frame): void {
  frame
    .verb(
      parent,
      "init <name>",
      "write a small recipe that builds, to start from",
      async (context, given) => {
        const { writeAnswer } = await import("../frame/files.ts");
        const { stat } = await import("node:fs/promises");
        const typed = given.argument(0);
        const file = resolve(
          context.cwd,
          context.options.out ?? (typed.endsWith(END) ? typed : `${typed}${END}`),
        );
        const name = basename(typed, END);
        if (!/^[a-z0-9][a-z0-9.+-]{0,62}$/.test(name))
          throw badValue("the recipe's name", "lower-case letters, digits and . + -", name);
        if ((await stat(file).catch(() => undefined)) !== undefined) {
          const hint = "name another file, or edit that one";
          throw new Failure("BP-FILE-014", EXIT.cannotWrite, "exists already and is not overwritten", {
            file,
            hint,
          });
        }
        await writeAnswer(file, starterRecipe(name));
        const shown = shownPath(context.cwd, file);
        const [command, word] = [context.command, shellWord(shown)];
        const next = [`${command} lock ${word}`, `${command} build ${word} --twice`];
        context.say(`wrote ${printable(shown)}\nnext:\n${next.map((command) => `  ${command}\n`).join("")}`, {
          schema: "bootproof/init/1",
          recipe: file,
          next,
        });
        return EXIT.yes;
      },
    )
    .addHelpText("after", "\nExample: bootproof init my-initrd.recipe.yaml");
}

function starterRecipe(name: string): string {
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
