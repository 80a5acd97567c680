import { expect, test } from "vitest";
import type { Report, Request, Told } from "../../../src/lab/engine/protocol.ts";
import { Server } from "../../../src/lab/engine/serve.ts";

const argv = (lr: number, steps = 40): string[] =>
  `opt:gd --opt.lr=${lr} data:moons --data.n=12 arch:mlp --arch.width=3 --steps=${steps} --runs=discrete --backend=js`.split(
    " ",
  );

/** A server whose turns are taken one by one, on a clock that ticks at every look. */
function served() {
  const told: Told[] = [];
  const turns: (() => void)[] = [];
  let clock = 0;
  let number = 0;
  const server = new Server({
    tell: (each) => told.push(each),
    soon: (callback) => turns.push(callback),
    now: () => (clock += 1),
  });
  return {
    ask: (request: Request): number => {
      server.hear({ number: ++number, request });
      return number;
    },
    turn: (): boolean => {
      const next = turns.shift();
      next?.();
      return next !== undefined;
    },
    /** The reports since the last look. */
    heard: (): Told[] => told.splice(0),
  };
}

const kinds = (told: readonly Told[]): Report["type"][] => told.map(({ report: { type } }) => type);

test("a run that is begun while another goes takes its first rows and waits for what it is asked", () => {
  const { ask, turn, heard } = served();
  ask({ type: "init", argv: argv(0.6) });
  ask({ type: "run", until: 40 });
  turn();
  turn();
  heard();
  const second = ask({ type: "init", argv: argv(0.3) });
  while (turn());
  const reports = heard();
  expect(new Set(reports.map((each) => each.heard))).toEqual(new Set([second]));
  expect(kinds(reports)).toEqual(["ready", "rows", "rests"]);
  expect(reports.at(-1)?.report).toMatchObject({ rows: 5, over: false });
  ask({ type: "step" });
  while (turn());
  expect(heard().at(-1)?.report).toMatchObject({ type: "rests", rows: 6, over: false });
});

test("a report carries the number of the last request heard, so that a step's rest is not taken for the run's", () => {
  const { ask, turn, heard } = served();
  ask({ type: "init", argv: argv(0.6) });
  const step = ask({ type: "step" });
  turn();
  turn();
  expect(heard().at(-1)).toMatchObject({ heard: step, report: { type: "rests" } });
  const run = ask({ type: "run", until: 40 });
  while (turn());
  expect(heard().at(-1)).toMatchObject({ heard: run, report: { type: "rests", rows: 40, over: true } });
});

test("words that are no run fail in a sentence, and the next ones are run", () => {
  const { ask, turn, heard } = served();
  ask({ type: "init", argv: argv(0.6) });
  ask({ type: "run", until: 40 });
  turn();
  heard();
  const wrong = ask({ type: "init", argv: argv(-1) });
  while (turn());
  expect(heard()).toMatchObject([{ heard: wrong, report: { type: "failed", misuse: true } }]);
  ask({ type: "init", argv: argv(0.3, 8) });
  ask({ type: "run", until: 8 });
  while (turn());
  expect(heard().at(-1)?.report).toMatchObject({ type: "rests", rows: 8, over: true });
});
