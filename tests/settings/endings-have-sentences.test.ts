import { expect, test } from "vitest";
import type { Ending } from "../../src/flows/index.ts";
import { endingSentence, optionsOfAll } from "../../src/settings/index.ts";

const ENDINGS: { readonly [C in Ending["code"]]: readonly Extract<Ending, { readonly code: C }>[] } = {
  diverged: [
    { code: "diverged", where: "gradient" },
    { code: "diverged", where: "state" },
    { code: "diverged", where: "curvature" },
  ],
  preconditioner: [{ code: "preconditioner" }],
  sharpness: [{ code: "sharpness", sharpness: 104.25, bound: 100 }],
  "too-many-critical": [{ code: "too-many-critical", critical: 33 }],
  complementarity: [{ code: "complementarity", critical: 3, solver: "unsolvable" }],
  "stationary-preconditioner": [{ code: "stationary-preconditioner", solver: "inaccurate" }],
};

test("every ending is a sentence that begins with the process, tells its numbers and says what to do", () => {
  for (const ending of Object.values(ENDINGS).flat()) {
    const sentence = endingSentence("central", ending);
    expect(sentence).toMatch(/^central: /);
    for (const [name, value] of Object.entries(ending))
      if (typeof value === "number") expect(sentence, name).toContain(String(Number(value.toPrecision(4))));
    expect(sentence).toMatch(/take|needs|substeps|rescale/);
  }
});

test("every flag that a sentence names is there", () => {
  const flags = new Set(optionsOfAll().map(({ flag }) => flag));
  for (const ending of Object.values(ENDINGS).flat())
    for (const [, flag] of endingSentence("central", ending).matchAll(/--([\w.-]*\w)/g))
      expect(flags).toContain(flag);
});
