import fc from "fast-check";
import { expect, test } from "vitest";
import { crc32 } from "../../../src/data/formats/crc32.ts";
import { PackedImages, packImages } from "../../../src/data/formats/pixel-code.ts";
import { count, packed } from "../../../src/data/sets/digits-embedded.ts";

const PIXELS = 64;

test("images come back as they were packed, in whatever order they are asked for", () => {
  const images = fc.array(
    fc.tuple(fc.nat(9), fc.array(fc.nat(16), { minLength: PIXELS, maxLength: PIXELS })),
    {
      minLength: 1,
      maxLength: 6,
    },
  );
  fc.assert(
    fc.property(images, fc.boolean(), (all, backwards) => {
      const labels = Uint8Array.from(all, ([label]) => label);
      const pixels = Uint8Array.from(all.flatMap(([, image]) => image));
      const back = new PackedImages(packImages(labels, pixels), all.length);
      expect(back.labels).toEqual(labels);
      const order = all.map((_, i) => (backwards ? all.length - 1 - i : i));
      for (const i of order) expect(Array.from(back.image(i))).toEqual(all[i][1]);
    }),
    { numRuns: 30 },
  );
});

test("the embedded digits are those of scikit-learn's file: the checksum of its columns", () => {
  const images = new PackedImages(
    Uint8Array.from(atob(packed), (character) => character.charCodeAt(0)),
    count,
  );
  const columns = new Uint8Array((PIXELS + 1) * count);
  for (let i = 0; i < count; i++) {
    images.image(i).forEach((level, p) => {
      columns[p * count + i] = level;
    });
    columns[PIXELS * count + i] = images.labels[i];
  }
  expect(crc32(columns)).toBe(0x55a01279);
});
