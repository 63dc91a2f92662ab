import { utf8 } from "@bootproof/bytes";
import { describe, expect, it } from "vitest";
import { S3Bucket } from "./s3-bucket.ts";
import { CREDENTIALS, TestS3, type Fault } from "./s3-server.testing.ts";

const xml = (text: string): Fault => ({ bytes: Buffer.from(text) });
const list = (inside: string): Fault => xml(`<ListBucketResult>${inside}</ListBucketResult>`);
const key = (name: string): string => `<Contents><Key>${name}</Key></Contents>`;

describe("a bucket: what was written must be what is read", () => {
  it("stores, reads, lists and deletes, signed so that the other side agrees", async () => {
    const server = await TestS3.start();
    const bucket = await server.open();
    const name = "tile/0/x001/a+b@c=d.p/1";
    expect(await bucket.put(name, utf8("one"), "new", { "cache-control": "no-store" })).toMatchObject({
      is: "done",
    });
    const { bytes, etag } = (await bucket.get(name))!;
    expect(bytes).toEqual(utf8("one"));
    expect(await bucket.put(name, utf8("two"), { etag: etag! })).toMatchObject({ is: "done" });
    expect(await bucket.put(name, utf8("three"), { etag: etag! })).toEqual({ is: "overtaken" });
    expect(await bucket.list("tile/")).toEqual([name]);
    await bucket.delete(name);
    await bucket.delete(name);
    expect(await bucket.get(name)).toBeUndefined();
    expect(await bucket.put(name, utf8("four"), { etag: etag! })).toEqual({ is: "overtaken" });
  });

  it("signs with the credentials of now, and says when they are wrong", async () => {
    const server = await TestS3.start();
    const keys = [CREDENTIALS, { ...CREDENTIALS, secretAccessKey: "other" }];
    const bucket = await server.open({ credentials: () => Promise.resolve(keys.shift()!) });
    expect(await bucket.get("x")).toBeUndefined();
    await expect(bucket.get("x")).rejects.toMatchObject({
      code: "BP-STORE-023",
      found: "403 SignatureDoesNotMatch",
    });
  });

  it.each<[string, Fault, string]>([
    ["cut off", { bytes: Buffer.from("0123456789"), cutAt: 5 }, "BP-STORE-022"],
    [
      "other bytes",
      { bytes: Buffer.from("x"), headers: { "x-amz-meta-sha256": "00".repeat(32) } },
      "BP-STORE-025",
    ],
    ["compressed", { bytes: Buffer.from("x"), headers: { "content-encoding": "gzip" } }, "BP-STORE-025"],
    ["too long", { bytes: Buffer.alloc(64 * 1024 * 1024 + 1) }, "BP-STORE-025"],
    ["no such bucket, which is not an absent object", { status: 404, code: "NoSuchBucket" }, "BP-STORE-023"],
    ["a 404 of somebody else", { status: 404, code: "" }, "BP-STORE-023"],
    [
      "another region",
      { status: 301, code: "PermanentRedirect", headers: { location: "http://x/" } },
      "BP-STORE-023",
    ],
  ])("refuses an answer that is %s", { timeout: 20_000 }, async (_, fault, code) => {
    const server = await TestS3.start();
    const bucket = await server.open({ timeout: 5000 });
    server.fault = () => fault;
    await expect(bucket.get("object")).rejects.toMatchObject({ code });
  });

  it("asks again when the store has trouble, and gives up in the end", { timeout: 20_000 }, async () => {
    const server = await TestS3.start();
    const bucket = await server.open();
    await bucket.put("object", utf8("x"), "new");
    for (const fault of ["drop", "lose", { status: 503 }, { status: 429 }] as const) {
      server.once({ method: "GET" }, fault, 2);
      expect((await bucket.get("object"))?.bytes).toEqual(utf8("x"));
    }
    server.fault = () => ({ status: 500, code: "InternalError" });
    await expect(bucket.get("object")).rejects.toMatchObject({
      code: "BP-STORE-023",
      found: "500 InternalError",
    });
    server.fault = () => "drop";
    await expect(bucket.get("object")).rejects.toMatchObject({ code: "BP-STORE-022" });
  });

  it("lists across pages", async () => {
    const server = await TestS3.start();
    const bucket = await server.open();
    server.page = 3;
    const names = Array.from({ length: 10 }, (_, at) => `stage/${at}`);
    await Promise.all(names.map((name) => bucket.put(name, utf8(name), "new")));
    await bucket.put("stages", utf8(""), "new");
    expect(await bucket.list("stage/")).toEqual(names);
    expect(server.asked.filter(({ method }) => method === "GET")).toHaveLength(4);
  });

  it.each<[string, Fault]>([
    ["is no list", xml("<html/>")],
    ["is no XML", xml("stage/1")],
    ["declares entities", xml('<!DOCTYPE a [<!ENTITY a "b">]><ListBucketResult/>')],
    ["does not say whether it ends", list(key("log/a"))],
    ["goes on from nowhere", list("<IsTruncated>true</IsTruncated>" + key("log/a"))],
    [
      "never ends",
      list("<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>" + key("log/a")),
    ],
    [
      "is empty and never ends",
      list("<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>"),
    ],
    ["has keys of others", list("<IsTruncated>false</IsTruncated>" + key("other/a"))],
    ["is out of order", list("<IsTruncated>false</IsTruncated>" + key("log/b") + key("log/a"))],
    [
      "has two keys in one",
      list("<IsTruncated>false</IsTruncated><Contents><Key>log/a</Key><Key>log/b</Key></Contents>"),
    ],
  ])("refuses a list that %s", async (_, fault) => {
    const server = await TestS3.start();
    server.fault = () => fault;
    await expect((await server.open()).list("")).rejects.toMatchObject({ code: "BP-STORE-025" });
  });

  it("sends not more than some at once", async () => {
    const server = await TestS3.start();
    let now = 0;
    let most = 0;
    const counted: typeof fetch = async (...request) => {
      most = Math.max(most, ++now);
      try {
        return await fetch(...request);
      } finally {
        now--;
      }
    };
    const bucket = await S3Bucket.open(server.options, counted);
    await Promise.all(Array.from({ length: 100 }, (_, at) => bucket.get(`k${at}`)));
    expect(most).toBe(32);
  });

  it.each([
    { endpoint: "http://s3.example" },
    { endpoint: "https://user:secret@s3.example" },
    { endpoint: "https://s3.example/path" },
    { endpoint: "ftp://s3.example" },
    { endpoint: "" },
    { bucket: "Not_A_Bucket" },
    { bucket: "a..b" },
    { region: "eu central" },
    { prefix: "../x" },
    { prefix: "/x" },
  ])("is not opened with %j", async (wrong) => {
    const right = {
      endpoint: "https://s3.example",
      region: "eu-1",
      bucket: "bucket",
      credentials: CREDENTIALS,
    };
    await expect(S3Bucket.open({ ...right, ...wrong })).rejects.toMatchObject({
      code: "prefix" in wrong ? "BP-STORE-008" : "BP-STORE-026",
    });
  });

  it("names the bucket in path or host", async () => {
    const hosts: string[] = [];
    const note: typeof fetch = (url) => {
      hosts.push((url as URL).href);
      return Promise.resolve(new Response(null, { status: 204 }));
    };
    const options = {
      endpoint: "https://s3.example",
      region: "eu-1",
      bucket: "bucket",
      credentials: CREDENTIALS,
    };
    await (await S3Bucket.open(options, note)).delete("a/b");
    await (await S3Bucket.open({ ...options, pathStyle: false, prefix: "p" }, note)).delete("a/b");
    expect(hosts).toEqual(["https://s3.example/bucket/a/b", "https://bucket.s3.example/p/a/b"]);
  });
});
