/**
 * virtee/sev-snp-measure, from the Python package index, in an environment of its own.
 * @module
 */
import { existsSync } from "node:fs";
import path from "node:path";
import { execa } from "execa";
import { type Missing, type Peer, PEERS, whyOf } from "./peer.ts";

const VERSION = "0.0.13";

/** Installs it, or says why it cannot be had. */
export async function sevSnpMeasure(): Promise<Peer | Missing> {
  const name = `sev-snp-measure ${VERSION}`;
  const environment = path.join(PEERS, name.replaceAll(" ", "-"));
  const file = path.join(environment, "bin/sev-snp-measure");
  try {
    if (!existsSync(file)) {
      await execa("python3", ["-m", "venv", environment]);
      const pip = ["install", "--quiet", "--disable-pip-version-check", `sev-snp-measure==${VERSION}`];
      await execa(path.join(environment, "bin/pip"), pip);
    }
  } catch (error) {
    return { name, why: whyOf(error) };
  }
  const guest = ["--mode", "snp", "--vcpus", "4", "--vcpu-type", "EPYC-Milan", "--ovmf"];
  return { name, measure: (firmware) => ({ file, args: [...guest, firmware] }) };
}
