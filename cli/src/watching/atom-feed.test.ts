import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { parseXml, XmlElement, XmlText, type XmlNode } from "@rgrove/parse-xml";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { scratchFolder } from "../scratch.testing.ts";
import { formatAtom } from "./atom-feed.ts";
import { FeedFile } from "./feed-file.ts";
import { alertAbout } from "./watched.testing.ts";

const HEAD = { title: "Alerts", link: undefined, name: "feed", begun: "2026-01-01T00:00:00.000Z" };
const DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const UUID = /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

const isElement = (node: XmlNode): node is XmlElement => node instanceof XmlElement;
const all = (parent: XmlElement, name: string): XmlElement[] =>
  parent.children.filter(isElement).filter((child) => child.name === name);
const text = (parent: XmlElement, name: string): string => all(parent, name)[0]?.text ?? "";

function parse(feed: string): XmlElement {
  const { root } = parseXml(feed);
  if (root === null) throw new Error("no root");
  return root;
}

describe("an Atom feed", async () => {
  const folder = await scratchFolder();

  it("has what RFC 4287 asks of feeds and entries, also when it is empty", () => {
    const empty = parse(formatAtom(HEAD, []));
    expect([empty.name, empty.attributes["xmlns"]]).toEqual(["feed", "http://www.w3.org/2005/Atom"]);
    expect(text(empty, "updated")).toBe(HEAD.begun);
    const feed = parse(formatAtom({ ...HEAD, link: "https://example.org/a?b&c" }, [alertAbout("x")]));
    expect([text(feed, "id"), text(feed, "updated")]).toEqual([
      expect.stringMatching(UUID),
      "2023-11-14T22:13:20.000Z",
    ]);
    expect(all(feed, "author").map((author) => text(author, "name"))).toEqual(["bootproof watch"]);
    expect(all(feed, "link")[0]?.attributes).toEqual({ rel: "self", href: "https://example.org/a?b&c" });
    const [entry] = all(feed, "entry");
    expect(text(entry!, "id")).toMatch(UUID);
    expect(text(entry!, "updated")).toMatch(DATE);
    expect(text(entry!, "title")).toBe("alarm: x was published");
    expect(text(entry!, "content")).toContain("signed as: somebody");
  });

  it("stays one document whatever the names in a log are", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (name) => {
        const feed = parse(formatAtom({ ...HEAD, title: name }, [alertAbout(name), alertAbout("last")]));
        expect(all(feed, "entry")).toHaveLength(2);
        for (const entry of all(feed, "entry"))
          for (const child of entry.children)
            expect(child instanceof XmlElement || child instanceof XmlText).toBe(true);
      }),
      { numRuns: 50 },
    );
    const hostile = "]]></title><entry/>&amp;\u0000\u202e\ud800\uffff";
    const [entry] = all(parse(formatAtom(HEAD, [alertAbout(hostile)])), "entry");
    expect(text(entry!, "title")).toBe(
      "alarm: ]]></title><entry/>&amp;\\u{0}\\u{202e}\ufffd\ufffd was published",
    );
  });

  it("on a file keeps the newest alerts over restarts, each once, with the time it was first seen", async () => {
    const config = { file: join(folder, "alerts.atom"), title: "Alerts", link: undefined, entries: 3 };
    const read = async (): Promise<XmlElement> => parse(await readFile(config.file, "utf8"));
    const first = await FeedFile.open(config, join(folder, "feed.json"));
    expect(all(await read(), "entry")).toEqual([]);
    await first.add(["a", "b"].map(alertAbout));
    const before = await read();
    const second = await FeedFile.open(config, join(folder, "feed.json"));
    await second.add([{ ...alertAbout("a"), observed: "2030-01-01T00:00:00.000Z" }, alertAbout("c")]);
    await second.add([alertAbout("d")]);
    const after = await read();
    expect(all(after, "entry").map((entry) => text(entry, "title"))).toEqual([
      "alarm: d was published",
      "alarm: c was published",
      "alarm: b was published",
    ]);
    expect(text(after, "id")).toBe(text(before, "id"));
    expect(text(all(after, "entry")[2]!, "id")).toBe(text(all(before, "entry")[0]!, "id"));
  });
});
