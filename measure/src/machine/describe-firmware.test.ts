import { describe, expect, it } from "vitest";

import { codes, es, lacks, snp, stops } from "./machine.testing.ts";

describe("firmware", () => {
  it.each<[string, string, string | undefined]>([
    ["-pflash", "-pflash code.fd -pflash vars.fd", "vars.fd"],
    [
      "-drive with units, in any order",
      "-drive if=pflash,unit=1,file=vars.fd -drive file=code.fd,unit=0,if=pflash,format=raw,readonly",
      "vars.fd",
    ],
    [
      "-drive without units, in order",
      "-drive if=pflash,file=code.fd,readonly=on -drive if=pflash,file=vars.fd",
      "vars.fd",
    ],
    ["-drive with an index", "-drive if=pflash,index=0,file=code.fd", undefined],
    ["-blockdev by node", "-blockdev node-name=c,driver=file,filename=code.fd -machine pflash0=c", undefined],
    [
      "-blockdev inside",
      "-blockdev node-name=c,driver=raw,file.driver=file,file.filename=code.fd -machine pflash0=c",
      undefined,
    ],
    [
      "-blockdev by reference",
      "-blockdev driver=file,node-name=f,filename=code.fd -blockdev raw,node-name=c,file=f -machine pflash0=c",
      undefined,
    ],
    [
      "-blockdev as JSON",
      `-blockdev '{"driver":"raw","node-name":"c","file":{"driver":"file","filename":"code.fd"}}' -machine pflash0=c`,
      undefined,
    ],
    ["-bios beside flash, which QEMU ignores", "-pflash code.fd -bios other.fd", undefined],
  ])("of SEV by %s", (_, options, vars) => {
    const description = es(",policy=1", ` ${options}`);
    expect(description.firmware).toBe("code.fd");
    expect(description.varsFile).toBe(vars);
    expect(stops(description)).toEqual([]);
  });

  it("keeps commas that are written as two", () => {
    expect(es("", " -drive if=pflash,file=a,,b.fd").firmware).toBe("a,b.fd");
    expect(es("", " -bios a,,b.fd").firmware).toBe("a,,b.fd");
  });

  it("is set by -machine too, as in QEMU", () => {
    expect(snp(" -machine firmware=f,kernel=k,append=x")).toMatchObject({
      firmware: "f",
      kernel: "k",
      cmdline: "x",
    });
  });

  it("in flash does not start on SEV-SNP", () => {
    expect(codes(snp(" -pflash f"))).toContain("BP-MACHINE-102 stops");
  });

  it("in flash unit 0 is required by unit 1, even with -bios", () => {
    expect(codes(snp(" -bios f -drive if=pflash,unit=1,file=v"))).toContain("BP-MACHINE-102 stops");
  });

  it("in another format than raw is not the file's bytes", () => {
    expect(codes(es("", " -drive if=pflash,format=qcow2,file=f"))).toContain("BP-MACHINE-105 stops");
    expect(codes(es("", " -blockdev qcow2,node-name=c,file.filename=f -machine pflash0=c"))).toContain(
      "BP-MACHINE-105 stops",
    );
    expect(
      codes(es("", " -blockdev raw,node-name=c,size=4096,file.filename=f -machine pflash0=c")),
    ).toContain("BP-MACHINE-105 stops");
  });

  it("behind nodes that refer to each other is missing, without end", () => {
    expect(lacks(es("", " -blockdev raw,node-name=c,file=c -machine pflash0=c"))).toEqual(["firmware"]);
    expect(lacks(es("", " -machine pflash0=c"))).toEqual(["firmware"]);
  });

  it("absent is missing: nobody measures SeaBIOS", () => {
    expect(lacks(snp(""))).toEqual(["firmware"]);
    expect(lacks(snp(" -bios ''"))).toEqual(["firmware"]);
  });

  it("in an IGVM file wins over -bios", () => {
    const description = snp(" -machine igvm-cfg=i -object igvm-cfg,id=i,file=g.igvm -bios f");
    expect(description).toMatchObject({ igvm: "g.igvm", missing: [] });
    expect(description.firmware).toBeUndefined();
    expect(codes(description)).toContain("BP-MACHINE-106");
  });

  it("in an IGVM file that no machine names is not loaded, and a name without file does not start", () => {
    expect(snp(" -object igvm-cfg,id=i,file=g.igvm -bios f")).toMatchObject({ firmware: "f" });
    expect(codes(snp(" -machine igvm-cfg=i -bios f"))).toContain("BP-MACHINE-102 stops");
  });
});
