/**
 * A guest that boots an IGVM file, to be searched.
 * @module
 */
import { IgvmSpace } from "@bootproof/measure/solve";

import { reading } from "../errors/reading.ts";
import { usage } from "../frame/given.ts";
import { shellWord } from "../frame/typed.ts";
import type { GuestFiles } from "../measuring/guest-files.ts";
import type { GuestRequest } from "../measuring/guest-request.ts";
import { cpuWords, givenCpu, type Known, only, type SearchedGuest } from "./searched-guest.ts";

/** Reads an IGVM file and makes its space. */
export async function searchedIgvm(
  { platform, reading: name, axes }: GuestRequest,
  path: string,
  files: GuestFiles,
  { reportedCpu }: Known,
): Promise<SearchedGuest> {
  if (platform !== "snp") throw usage(`IGVM guests of ${platform} are not searched, only those of snp`);
  const igvm = await files.bytes(path);
  const claim = { igvm, reading: name, vcpus: only(axes.vcpus), cpu: givenCpu(axes.cpus), reportedCpu };
  const space = reading(path, () => new IgvmSpace(claim));
  return {
    platform,
    space,
    inputs: [await files.input("igvm", path)],
    notTried: [{ what: "guest features", why: "they stand in the file's VMSA" }],
    mistaken: new Map(),
    words({ choice, rung }) {
      const { reading: found, cpu } = space.guess(choice);
      const ignored = space.ignored(choice, rung);
      return Promise.resolve([
        platform,
        ...["--igvm", shellWord(path)],
        ...["--reading", found.name],
        ...["--vcpus", String(rung)],
        ...(ignored.has("cpu") ? [] : cpuWords(cpu)),
      ]);
    },
    describe({ choice, rung }) {
      const { reading: found, cpu } = space.guess(choice);
      const measured = !space.ignored(choice, rung).has("cpu");
      return {
        reading: found.name,
        vcpus: rung,
        ...(measured && { cpuSignature: `0x${cpu.signature.toString(16)}` }),
      };
    },
  };
}
