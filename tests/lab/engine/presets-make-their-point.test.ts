import { expect, test } from "vitest";
import { Session } from "../../../src/lab/engine/session.ts";
import { argvOf, LAB_PRESETS, type LabPreset, readLink } from "../../../src/lab/index.ts";
import { TOUR } from "../../../src/lab/link/tour.ts";
import type { StepRow } from "../../../src/simulation/index.ts";

/** The rows of the first run of a link, from another seed if one is named, and how its processes ended. */
function computed(link: string, seed?: number): { rows: StepRow[]; session: Session } {
  const pairs = new Map(readLink(link)!.runs[0]);
  if (seed !== undefined) pairs.set("seed", String(seed));
  const session = new Session(argvOf(pairs));
  const rows: StepRow[] = [];
  while (session.open) rows.push(session.step());
  return { rows, session };
}

const numbers = (row: StepRow, path: string): ArrayLike<number> => {
  const found = row.quantities[path];
  return found === undefined ? [] : typeof found === "number" ? [found] : found.data;
};
const first = (row: StepRow, path: string): number => numbers(row, path)[0] ?? Number.NaN;
const top = (row: StepRow): number => first(row, "central/effective_hessian_eigs");
const linkOf = (name: LabPreset["name"]): string => LAB_PRESETS.find((each) => each.name === name)!.link;

/** What each example is there to show, from three seeds. */
const POINTS: Readonly<Record<string, (rows: StepRow[], session: Session) => void>> = {
  edge(rows, { built: { criticalValue: c } }) {
    expect(top(rows[0])).toBeLessThan(0.8 * c);
    expect(top(rows.at(-1)!) / c).toBeCloseTo(1, 3);
  },
  smaller(rows) {
    expect(first(rows.at(-1)!, "central/hessian_eigs") * 0.5).toBeCloseTo(2, 3);
  },
  two(rows, { built: { criticalValue: c } }) {
    const counts = rows.map(
      (row) =>
        Array.from(numbers(row, "central/effective_hessian_eigs")).filter((value) => value > 0.975 * c)
          .length,
    );
    expect(Math.max(...counts)).toBeGreaterThanOrEqual(2);
  },
  rmsprop(rows) {
    const near = rows.filter(
      (row) => first(row, "distances/central-discrete") < first(row, "distances/discrete-stable"),
    );
    expect(near.length / rows.length).toBeGreaterThan(0.6);
  },
  acceleration(rows) {
    expect(first(rows.at(-1)!, "central/train_loss")).toBeLessThan(first(rows.at(-1)!, "ablated/train_loss"));
  },
  "heavy-ball"(rows, { built: { criticalValue: c } }) {
    expect(c).toBeCloseTo(38, 9);
    expect(Math.max(...rows.map(top).filter(Number.isFinite)) / c).toBeGreaterThan(0.975);
  },
  diverges(rows, session) {
    expect(rows.length).toBeLessThan(100);
    expect(session.ended().some(({ process, failed }) => process === "discrete" && failed)).toBe(true);
  },
};

test("every example has its point", () => {
  expect(Object.keys(POINTS)).toEqual(LAB_PRESETS.map(({ name }) => name));
});

test.each(LAB_PRESETS.flatMap(({ name }) => [0, 1, 2].map((seed) => [name, seed] as const)))(
  "%s makes its point from seed %i",
  (name, seed) => {
    const { rows, session } = computed(linkOf(name), seed);
    POINTS[name](rows, session);
  },
);

test.each(TOUR.map((beat) => [beat.name, beat] as const))("%s of the tour shows what it says", (_, beat) => {
  const { rows, session } = computed(beat.link);
  expect(beat.seen.holds(rows, session.built.criticalValue)).toBe(true);
  expect(beat.guess.answers[beat.guess.right]).toBeDefined();
});
