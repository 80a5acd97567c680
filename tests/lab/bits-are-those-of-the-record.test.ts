import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { BitTrail, bitsOf, bitsText, comparedBits } from "../../src/lab/index.ts";
import { sha256 } from "../../src/lab/link/sha256.ts";
import { RowDigest } from "../../src/record/index.ts";
import type { StepRow } from "../../src/simulation/index.ts";

test("sha256 is SHA-256, of every length around the blocks", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(Buffer.from(sha256(bytes)).toString("hex")).toBe(
        createHash("sha256").update(bytes).digest("hex"),
      );
    }),
    { numRuns: 300 },
  );
});

const rows = fc
  .array(fc.dictionary(fc.constantFrom("a/b", "c", "times/d"), fc.double(), { noNullPrototype: true }), {
    minLength: 1,
    maxLength: 45,
  })
  .map((all) => all.map((quantities, index): StepRow => ({ index, step: index + 3, quantities })));

test("the digest in a page is that of the rows on disk", () => {
  fc.assert(
    fc.property(rows, (all) => {
      const [page, record] = [new BitTrail(), new RowDigest()];
      for (const row of all) {
        page.add(row);
        record.add(row);
      }
      expect(page.digest).toBe(record.value);
      expect(bitsOf(bitsText(page.bits))).toEqual(page.bits);
    }),
  );
});

test("a comparison tells the rows between which two runs part, and keeps silent while they agree", () => {
  const run = (length: number, other = length): BitTrail => {
    const trail = new BitTrail();
    for (let index = 0; index < length; index++)
      trail.add({ index, step: index, quantities: { x: index >= other ? 1 : 0 } });
    return trail;
  };
  const wanted = run(45).bits;
  expect(comparedBits(wanted, run(30).bits)).toBeUndefined();
  expect(comparedBits(wanted, run(45).bits)).toEqual({ same: true });
  expect(comparedBits(wanted, run(45, 23).bits)).toEqual({ same: false, after: 20, by: 30 });
  expect(comparedBits(wanted, run(45, 43).bits)).toEqual({ same: false, after: 40, by: 45 });
});

test("a trail goes on from where it was saved, without touching what was saved", () => {
  const trail = new BitTrail();
  const row = (index: number): StepRow => ({ index, step: index, quantities: { x: index / 3 } });
  for (let index = 0; index < 15; index++) trail.add(row(index));
  const saved = trail.save();
  for (let index = 15; index < 30; index++) trail.add(row(index));
  const again = saved.save();
  for (let index = 15; index < 30; index++) again.add(row(index));
  expect(again.bits).toEqual(trail.bits);
  expect(saved.bits.rows).toBe(15);
});
