import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { pythons } from "./peers/engines.ts";
import { digits, measured, progress, Table } from "./table.ts";
import { summary } from "./timing.ts";

/** What the authors' main.py imports beside its own files. */
const MODULES = [
  "torch",
  "tyro",
  "git",
  "tqdm",
  "h5py",
  "cvxpy",
  "cvxopt",
  "scipy",
  "sklearn",
  "datasets",
  "torchvision",
];

/** A run of both command lines, between two numbers of steps: of data that both make, as their files are not the same. */
interface Case {
  readonly name: string;
  readonly flags: string;
  readonly from: number;
  readonly to: number;
}

const MADE = "data:classification --data.n 200 --data.n-features 64 --data.classes 4";
const SMALL = { from: 20, to: 50 };
const CASES: readonly Case[] = [
  { ...SMALL, name: "mlp 64-32-32, gd", flags: `opt:gd ${MADE} arch:mlp --arch.width 32 --opt.lr 0.2` },
  {
    ...SMALL,
    name: "mlp 64-32-32, scalar-rmsprop",
    flags: `opt:scalar-rmsprop ${MADE} arch:mlp --arch.width 32 --opt.lr 0.1 --opt.beta2 0.99 --opt.bias-correction --warm-start 5`,
  },
  {
    ...SMALL,
    name: "mlp 64-32-32, rmsprop",
    flags: `opt:rmsprop ${MADE} arch:mlp --arch.width 32 --opt.lr 0.002 --opt.beta2 0.99 --opt.eps 1e-7 --opt.bias-correction --warm-start 5`,
  },
  {
    ...{ from: 10, to: 25 },
    name: "lstm, gd",
    flags: "opt:gd data:sorting --data.criterion mse --data.n 64 --data.n-test 64 arch:lstm --opt.lr 0.2",
  },
  {
    ...{ from: 2, to: 5 },
    name: "mlp 3072-256-256, gd",
    flags:
      "opt:gd data:classification --data.n 1000 --data.n-features 3072 --data.classes 4 arch:mlp --arch.width 256 --opt.lr 0.02",
  },
];
const ROUNDS = 3;
/** What one run may take. */
const SECONDS = 900;

const CLI = fileURLToPath(new URL("../src/cli/main.ts", import.meta.url));
const PEER = fileURLToPath(new URL("peers/reference_peer.py", import.meta.url));

/** The authors' code where it can run: its folder, and a Python with what it imports. */
interface Reference {
  readonly folder: string;
  readonly python: string;
}

/** The reference, or the sentence that says what is missing. */
function findReference(): Reference | string {
  const given = process.env.BENCH_REFERENCE;
  if (!given)
    return "no checkout of the authors' code: name its folder, the one with main.py, in BENCH_REFERENCE";
  const folder = resolve(given);
  for (const file of ["main.py", join("src", "processes.py")])
    if (!existsSync(join(folder, file)))
      return `BENCH_REFERENCE names ${folder}, which has no ${file}: it must be a checkout of the authors' code`;
  const there = pythons().flatMap((python) => {
    const ask = `import importlib.util as u; print(*[m for m in "${MODULES.join(" ")}".split() if not u.find_spec(m)])`;
    const { status, stdout } = spawnSync(python, ["-c", ask], { encoding: "utf8" });
    return status === 0 ? [{ python, lacks: stdout.split(/\s+/).filter(Boolean) }] : [];
  });
  if (there.length === 0) return "no Python here: name one in BENCH_PYTHON";
  const { python, lacks } = there.reduce((a, b) => (b.lacks.length < a.lacks.length ? b : a));
  if (lacks.length === 0) return { folder, python };
  const where =
    "install what requirements.in of that checkout says into bench/.venv, or name a Python in BENCH_PYTHON";
  return `no Python with all that the authors' code imports, ${python} lacks ${lacks.join(", ")}: ${where}`;
}

/** Milliseconds of a whole run of a command. @throws Error with its last words where it fails */
function milliseconds(command: readonly string[], environment: Readonly<Record<string, string>>): number {
  const [program, ...words] = command;
  const start = performance.now();
  const { status, error, stderr } = spawnSync(program, words, {
    encoding: "utf8",
    env: { ...process.env, ...environment },
    timeout: 1000 * SECONDS,
    input: "",
    maxBuffer: 2 ** 28,
  });
  if (status === 0) return performance.now() - start;
  const last = (stderr ?? "").trim().split("\n").at(-1);
  throw new Error(error?.message ?? last ?? `ended with status ${status}`);
}

/**
 * Central steps of whole runs, logging and files included, of the authors' code and of ours, side by side on the same
 * flags: each the difference of two runs. Both in float64, on the same cores, at their default tolerance.
 */
export function reference(): void {
  console.log("\n### Beside the authors' code\n");
  const found = findReference();
  if (typeof found === "string") {
    console.log(`Not measured: ${found}.`);
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), "central-flows-reference-"));
  const table = new Table(["run", "steps", "reference, ms", "ours, ms", "reference over ours"]);
  const notes: string[] = [];
  let runs = 0;
  /** Milliseconds per step of a command that is given its number of steps. */
  const perStep = (run: (steps: number) => number, { from, to }: Case): ReturnType<typeof summary> =>
    summary(Array.from({ length: ROUNDS }, () => (run(to) - run(from)) / (to - from)));
  for (const one of CASES) {
    const words = (steps: number): string[] =>
      `${one.flags} --runs central --eig.frequency 1 --seed 0 --steps ${steps}`.split(" ");
    try {
      progress(`${one.name}, the reference`);
      const theirs = perStep((steps) => {
        const own = { EXPERIMENT_DIR: folder };
        const flags = [...words(steps), "--device", "cpu", "--expid", `reference-${runs++}`];
        return milliseconds([found.python, "-W", "ignore", PEER, found.folder, ...flags], own);
      }, one);
      progress(`${one.name}, ours`);
      const ours = perStep((steps) => {
        const out = join(folder, `ours-${runs++}`);
        const command = [process.execPath, ...process.execArgv, CLI, "run"];
        return milliseconds([...command, ...words(steps), "--quiet", "--out", out], {});
      }, one);
      table.row(
        one.name,
        `${one.from} to ${one.to}`,
        measured(theirs.median, "less", theirs.spread),
        measured(ours.median, "less", ours.spread),
        digits(theirs.median / ours.median),
      );
    } catch (error) {
      notes.push(`${one.name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  rmSync(folder, { recursive: true, force: true });
  table.print();
  if (notes.length > 0) console.log(`\n${notes.map((note) => `- ${note}`).join("\n")}`);
}
