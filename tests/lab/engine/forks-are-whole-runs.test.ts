import { expect, test } from "vitest";
import { Session } from "../../../src/lab/engine/session.ts";

const RUN = "data:moons --data.n=12 arch:mlp --arch.width=3 --steps=50 --eig.frequency=1 --backend=js".split(
  " ",
);

/** The digest of a whole run. */
function whole(argv: readonly string[]): string {
  const session = new Session(argv);
  while (session.open) session.step();
  return session.trail.digest;
}

test.each([
  ["where it stands", "opt:gd --opt.lr=0.6", 27, 27, 27],
  ["further on", "opt:gd --opt.lr=0.6", 27, 31, 27],
  ["further back", "opt:gd --opt.lr=0.6", 33, 25, 20],
  ["with memory", "opt:heavy-ball --opt.lr=0.05", 27, 27, 27],
  [
    "where flows keep another time",
    "opt:rmsprop --opt.lr=0.01 --opt.beta2=0.9 --opt.bias-correction",
    27,
    27,
    0,
  ],
])(
  "%s: a run that goes on with another η is, to the bit, the run that its words give",
  (_, opt, rows, at, from) => {
    const plain = [...opt.split(" "), ...RUN];
    const changed = [...plain, "--opt.schedule=piecewise", `--opt.lr-at=${at}:0.004`];
    const session = new Session(plain);
    while (session.rows < rows) session.step();
    expect(session.fork(at, changed)).toBe(from);
    while (session.open) session.step();
    expect(session.trail.digest).toBe(whole(changed));
    expect(session.trail.digest).not.toBe(whole(plain));
  },
);

test("a second change goes on from the first", () => {
  const plain = ["opt:gd", "--opt.lr=0.6", ...RUN];
  const words = (changes: string) => [...plain, "--opt.schedule=piecewise", `--opt.lr-at=${changes}`];
  const session = new Session(plain);
  while (session.rows < 12) session.step();
  session.fork(12, words("12:0.3"));
  while (session.rows < 24) session.step();
  session.fork(24, words("12:0.3,24:0.1"));
  while (session.open) session.step();
  expect(session.trail.digest).toBe(whole(words("12:0.3,24:0.1")));
});

test("a run that diverges ends with a sentence, and has no next row", () => {
  const session = new Session(["opt:gd", "--opt.lr=100", ...RUN]);
  while (session.open) session.step();
  expect(session.rows).toBeLessThan(50);
  expect(session.ended().map(({ failed }) => failed)).toContain(true);
  expect(session.ended()[0].sentence).toMatch(/take a smaller learning rate|--/);
});
