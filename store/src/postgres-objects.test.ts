import { utf8 } from "@bootproof/bytes";
import { describe, expect, it } from "vitest";
import { PostgresObjects } from "./postgres-objects.ts";
import { openDatabase, usePostgres } from "./postgres.testing.ts";

const server = usePostgres();

describe("private objects in PostgreSQL", () => {
  it("never change when they are immutable", async () => {
    const objects = new PostgresObjects(await openDatabase(server()), "one");
    await objects.putImmutable("stage/1-ab", utf8("entries"));
    await objects.putImmutable("stage/1-ab", utf8("entries"));
    await expect(objects.putImmutable("stage/1-ab", utf8("entriez"))).rejects.toMatchObject({
      code: "BP-STORE-007",
      found: "7 bytes that differ at offset 6",
    });
    expect(await objects.get("stage/1-ab")).toEqual(utf8("entries"));
  });

  it("are listed by prefix, and gone when deleted", async () => {
    const database = await openDatabase(server());
    const objects = new PostgresObjects(database, "two");
    for (const key of ["stage/2", "stage/1", "stage_", "gc"]) await objects.putMutable(key, utf8(key));
    await new PostgresObjects(database, "three").putMutable("stage/3", utf8("another log's"));
    expect(await objects.list("stage/")).toEqual(["stage/1", "stage/2"]);
    expect(await objects.list()).toEqual(["gc", "stage/1", "stage/2", "stage_"]);
    await objects.delete("stage/1");
    await objects.delete("stage/1");
    expect(await objects.get("stage/1")).toBeUndefined();
    expect(await objects.get("never")).toBeUndefined();
    for (const bad of ["../x", "", "a//b", ".hidden"])
      await expect(objects.get(bad)).rejects.toMatchObject({ code: "BP-STORE-008" });
  });

  it("hold a stage of a whole batch, byte for byte", async () => {
    const objects = new PostgresObjects(await openDatabase(server()), "large");
    const stage = new Uint8Array(20 * 1024 * 1024).map((_, at) => (at * 31) % 251);
    await objects.putImmutable("stage/large", stage);
    const stored = (await objects.get("stage/large"))!;
    expect(Buffer.compare(stored, stage)).toBe(0);
    await expect(objects.putImmutable("l", new Uint8Array(64 * 1024 * 1024 + 1))).rejects.toMatchObject({
      code: "BP-STORE-006",
    });
  });

  it("are not replaced by a writer that was overtaken after it had made sure", async () => {
    const database = await openDatabase(server());
    const [early, late] = [new PostgresObjects(database, "race"), new PostgresObjects(database, "race")];
    for (const before of [undefined, utf8("old")]) {
      await early.delete("checkpoint");
      if (before !== undefined) await early.putMutable("checkpoint", before);
      const overtake = (): Promise<void> =>
        late.putMutable("checkpoint", utf8("new"), () => Promise.resolve());
      await expect(early.putMutable("checkpoint", utf8("stale"), overtake)).rejects.toMatchObject({
        code: "BP-STORE-020",
      });
      expect(await early.get("checkpoint")).toEqual(utf8("new"));
    }
  });

  it("are not replaced when the writer is no more sure, and not by one who slept through two changes", async () => {
    const objects = new PostgresObjects(await openDatabase(server()), "unsure");
    await objects.putMutable("checkpoint", utf8("old"));
    const unsure = (): Promise<void> => Promise.reject(new Error("not ours any more"));
    await expect(objects.putMutable("checkpoint", utf8("new"), unsure)).rejects.toThrow("not ours any more");
    // Deleted and made again with the same bytes is another object.
    const change = async (): Promise<void> => {
      await objects.delete("checkpoint");
      await objects.putMutable("checkpoint", utf8("old"));
    };
    await expect(objects.putMutable("checkpoint", utf8("new"), change)).rejects.toMatchObject({
      code: "BP-STORE-020",
    });
    expect(await objects.get("checkpoint")).toEqual(utf8("old"));
  });
});
