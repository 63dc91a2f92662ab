import { formatHex, sha256, utf8, type Sha256 } from "@bootproof/bytes";
import { describe, expect, it } from "vitest";
import { completeRoot } from "./merkle.ts";
import { TileNodes } from "./tile-nodes.ts";

const hashes = Array.from({ length: 256 }, (_, at) => sha256(utf8(`leaf ${at}`)));

describe("subtrees of a tile: a proof with a hash of the wrong place", () => {
  it.each([0, 1, 2, 3, 100, 255, 256])("has every complete subtree of %i hashes, and no other", (width) => {
    const nodes = new TileNodes(hashes.slice(0, width));
    // From the top first, so that nothing has been computed before it is asked for.
    for (let height = 8; height >= 0; height--)
      for (let index = 0; index <= 256 >> height; index++) {
        const under = hashes.slice(0, width).slice(index << height, (index + 1) << height);
        const expected: Sha256 | undefined = under.length === 1 << height ? completeRoot(under) : undefined;
        const found = nodes.subtree(height, index);
        expect([height, index, found && formatHex(found)]).toEqual([
          height,
          index,
          expected && formatHex(expected),
        ]);
      }
    expect(nodes.root === undefined).toBe(width < 256);
  });
});
