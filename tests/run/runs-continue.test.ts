import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { writeNpz } from "../../src/data/index.ts";
import { readCheckpoint, writeCheckpoint } from "../../src/record/checkpoint.ts";
import { NAMES, readOutcome } from "../../src/record/index.ts";
import { latestCheckpoint } from "../../src/run/index.ts";
import { quantityData } from "../../src/simulation/index.ts";
import {
  type LeftRun,
  MOONS,
  resumeRun,
  rowsDifference,
  rowsIn,
  runWords,
  temporaryFolder,
} from "./small-runs.ts";

const base = temporaryFolder();
const STEPS = 14;
const words = (steps: number): string[] => [
  ...MOONS,
  "--steps",
  String(steps),
  "--checkpoint.frequency",
  "5",
];
const whole = join(base, "whole");
const stopped = join(base, "stopped");
let reference: LeftRun;
beforeAll(async () => {
  reference = await runWords(whole, words(STEPS));
  await runWords(stopped, words(STEPS), { interrupted: after(9) });
});

const copyOf = (name: string, of = whole): string => {
  const folder = join(base, name);
  cpSync(of, folder, { recursive: true });
  return folder;
};
const stoppedCopy = (name: string): string => copyOf(name, stopped);

/** An `interrupted` that says yes when asked for the n-th time. */
function after(n: number): () => boolean {
  let asked = 0;
  return () => asked++ === n;
}

const heard = (): { readonly lines: string[]; readonly notice: (line: string) => void } => {
  const lines: string[] = [];
  return { lines, notice: (line) => lines.push(line) };
};

test("interrupted after any step, also while replaying, a run goes on to the same rows", async () => {
  for (const [index, stops] of [[3], [0], [8, 2], [9, 3, 0, 1], [12, 1, 4], [7, 0, 0, 9]].entries()) {
    const folder = join(base, `interrupted-${index}`);
    const first = await runWords(folder, words(STEPS), { interrupted: after(stops[0]) });
    expect(first.ending).toBe("interrupted");
    expect(first.rows.length).toBe(stops[0]);
    for (const stop of stops.slice(1)) {
      // Without the latest checkpoints the next start replays logged rows, and is stopped on the way.
      const checkpoints = join(folder, "checkpoints");
      for (const name of readdirSync(checkpoints).filter((name) => name !== "checkpoint_0.npz"))
        rmSync(join(checkpoints, name));
      await resumeRun(folder, null, { interrupted: after(stop) });
    }
    const last = await resumeRun(folder, null);
    expect(last.ending).toBe("finished");
    expect(rowsDifference(last.rows, reference.rows)).toBeUndefined();
    expect(last.digest).toBe(reference.digest);
    expect(readOutcome(folder)?.restarts).toBe(stops.length);
  }
});

test("a run that goes on from a checkpoint of no round step, the latest one damaged, has the same digest", async () => {
  const folder = stoppedCopy("digest");
  const checkpoints = join(folder, NAMES.checkpoints);
  const latest = readFileSync(join(checkpoints, NAMES.latest));
  await resumeRun(folder, null, { interrupted: after(4) });
  writeFileSync(join(checkpoints, NAMES.latest), latest);
  writeFileSync(join(checkpoints, NAMES.resume), "no zip");
  const { lines, notice } = heard();
  const last = await resumeRun(folder, null, { notice });
  expect(lines.join("\n")).toContain("from the checkpoint at step 9");
  expect(rowsDifference(last.rows, reference.rows)).toBeUndefined();
  expect(last.digest).toBe(reference.digest);
});

test("stationary and ablated flows log what the central flow logs, and go on to the same rows", async () => {
  const rivals = [...words(STEPS).filter((word) => word !== "midpoint" && word !== "stable"), "--quiet"];
  rivals.splice(rivals.indexOf("central"), 1, "central", "stationary", "ablated");
  const straight = await runWords(join(base, "rivals"), rivals);
  expect(straight.ending, straight.status).toBe("finished");
  const { quantities } = straight.rows[STEPS - 1];
  for (const name of [
    "train_loss",
    "effective_hessian_eigs",
    "predicted_loss",
    "predicted_variances",
    "opt.nu_l1",
  ])
    for (const process of ["central", "stationary", "ablated"])
      expect(Object.keys(quantities)).toContain(`${process}/${name}`);
  expect(Object.keys(quantities)).toContain("distances/ablated-stationary");
  expect(quantities["stationary/flow_aux/violation"]).toBeLessThanOrEqual(1e-8);
  const folder = join(base, "rivals-interrupted");
  await runWords(folder, rivals, { interrupted: after(6) });
  for (const name of [NAMES.latest, NAMES.resume]) rmSync(join(folder, "checkpoints", name));
  const last = await resumeRun(folder, null);
  expect(rowsDifference(last.rows, straight.rows)).toBeUndefined();
});

test("--steps extends a run to what a longer one is, and stands in its config.json from then on", async () => {
  const folder = join(base, "extended");
  await runWords(folder, words(6));
  const stopped = await resumeRun(folder, STEPS, { interrupted: after(4) });
  expect(stopped.ending).toBe("interrupted");
  expect(stopped.rows.length).toBe(9);
  const last = await resumeRun(folder, null);
  expect(last.status).toBe(`finished ${STEPS} steps`);
  expect(rowsDifference(last.rows, reference.rows)).toBeUndefined();
  expect(JSON.parse(readFileSync(join(folder, "config.json"), "utf8")).steps).toBe(STEPS);
  await expect(resumeRun(folder, STEPS - 3)).rejects.toThrow(/at least the 14 steps there are, got 11/);
});

test("a finished run has nothing to resume, and says so", async () => {
  const { lines, notice } = heard();
  const before = readFileSync(join(whole, NAMES.data));
  let computed = 0;
  const again = await resumeRun(whole, null, { notice, row: () => computed++ });
  expect(again.ending).toBe("finished");
  expect(lines).toEqual([`all ${STEPS} steps are logged already; nothing is computed`]);
  expect(computed).toBe(0);
  expect(readFileSync(join(whole, NAMES.data)).equals(before)).toBe(true);
  expect(rowsDifference(again.rows, reference.rows)).toBeUndefined();
});

test("a failed process is failed after a resume, too, whether or not it is computed again", async () => {
  const folder = join(base, "failing");
  const flags =
    "opt:gd data:moons arch:mlp --data.n 20 --arch.width 2 --opt.lr 1e4 --runs discrete central".split(" ");
  const first = await runWords(folder, [...flags, "--eig.frequency", "1", "--steps", "20"]);
  expect(first.ending).toBe("failed");
  const again = await resumeRun(folder, null);
  expect(again.ending).toBe("failed");
  expect(again.processes).toEqual(first.processes);
  expect(rowsDifference(first.rows, again.rows)).toBeUndefined();
});

describe("resume refuses", () => {
  test("a configuration that did not write the journal", async () => {
    const folder = copyOf("other-config");
    const path = join(folder, "config.json");
    const json = JSON.parse(readFileSync(path, "utf8"));
    writeFileSync(path, JSON.stringify({ ...json, opt: { ...json.opt, lr: 0.03 } }));
    await expect(resumeRun(folder, null)).rejects.toThrow(
      /expected the configuration that wrote the journal/,
    );
  });

  test("a longer run where the schedule lasts the run, and names it", async () => {
    const folder = join(base, "cosine");
    await runWords(folder, [...words(5), "--opt.schedule", "cosine"]);
    await expect(resumeRun(folder, 9)).rejects.toThrow(/schedule lasts, got --steps 9; .*--opt\.total-steps/);
  });

  test("a corrupt journal, data.hdf5 or config.json, and a folder without a run", async () => {
    const journal = stoppedCopy("corrupt-journal");
    const bytes = readFileSync(join(journal, NAMES.journal));
    bytes[Math.floor(bytes.length / 2)] ^= 1;
    writeFileSync(join(journal, NAMES.journal), bytes);
    await expect(resumeRun(journal, null)).rejects.toThrow(/checksum that does not match after row/);
    const data = copyOf("corrupt-data");
    writeFileSync(join(data, NAMES.data), readFileSync(join(data, NAMES.data)).subarray(0, 3000));
    await expect(resumeRun(data, STEPS + 2)).rejects.toThrow(/data\.hdf5/);
    const config = copyOf("corrupt-config");
    writeFileSync(join(config, "config.json"), "{");
    await expect(resumeRun(config, null)).rejects.toThrow(/config\.json that parses/);
    await expect(resumeRun(join(base, "absent"), null)).rejects.toThrow(/absent without config\.json/);
  });

  test("a journal whose rows this build does not reproduce", async () => {
    const folder = stoppedCopy("foreign");
    const path = join(folder, "checkpoints", NAMES.resume);
    const { arrays, index, binding } = readCheckpoint(path);
    expect(index).toBe(8);
    const changed = new Map(
      [...arrays].map(([key, data]) => [key, key === "central.w" ? data.map((w) => w + 1e-9) : data]),
    );
    writeCheckpoint(path, { index, arrays: changed }, binding ?? "");
    await expect(resumeRun(folder, null)).rejects.toThrow(
      /expected row 8 as logged, got another value of central\//,
    );
    expect(await rowsIn(folder)).toHaveLength(9);
  });

  test("a torn last line is no reason: it is computed again, with a notice", async () => {
    const folder = stoppedCopy("torn");
    const path = join(folder, NAMES.journal);
    writeFileSync(path, readFileSync(path).subarray(0, -100));
    const { lines, notice } = heard();
    const last = await resumeRun(folder, null, { notice });
    expect(lines.join()).toMatch(/torn by the stop/);
    expect(rowsDifference(last.rows, reference.rows)).toBeUndefined();
  });
});

describe("a run that starts from a checkpoint", () => {
  const checkpoint = join(whole, "checkpoints", "checkpoint_5.npz");

  test("goes on as the one that wrote it", async () => {
    const folder = join(base, "loaded");
    const loaded = await runWords(folder, [...words(STEPS - 5), "--load.path", checkpoint]);
    const rest = reference.rows.slice(5);
    loaded.rows.forEach((row, i) => {
      for (const key of [
        "discrete/train_loss",
        "midpoint/train_loss",
        "stable/train_loss",
        "central/train_loss",
      ])
        expect(quantityData(row.quantities[key])[0], `${key} ${i}`).toBe(
          quantityData(rest[i].quantities[key])[0],
        );
    });
    const again = await resumeRun(folder, STEPS - 3);
    expect(rowsDifference(again.rows.slice(0, STEPS - 5), loaded.rows)).toBeUndefined();
  });

  test("or starts all its processes from one of them", async () => {
    const { arrays } = readCheckpoint(checkpoint);
    for (const from of ["central", "discrete"]) {
      const loaded = await runWords(join(base, `from-${from}`), [
        ...words(3),
        "--load.path",
        checkpoint,
        "--load.from-process",
        from,
      ]);
      const first = loaded.rows[0].quantities;
      for (const pair of ["central-discrete", "central-midpoint", "central-stable", "discrete-stable"])
        expect(quantityData(first[`distances/${pair}`])[0]).toBe(0);
      expect(arrays.get(`${from}.w`)?.length).toBe(105);
    }
  });

  test("which must fit the network and have the processes asked for", async () => {
    const run = (path: string, width = 8): Promise<LeftRun> => {
      const all = [...words(3), "--load.path", path]
        .join(" ")
        .replace("--arch.width 8", `--arch.width ${width}`);
      return runWords(join(base, "never"), all.split(" "));
    };
    await expect(run(checkpoint, 9)).rejects.toThrow(/numbers in .*\.w, got 105/);
    await expect(run(join(base, "no.npz"))).rejects.toThrow(/which does not exist/);
    const partial = join(base, "partial.npz");
    const { arrays } = readCheckpoint(checkpoint);
    const kept = [...arrays].filter(([key]) => key.startsWith("discrete."));
    const members = Object.fromEntries(kept.map(([key, data]) => [key, { shape: [data.length], data }]));
    writeFileSync(partial, writeNpz({ ...members, step: { dtype: "<i8", shape: [], data: [5] } }));
    await expect(run(partial)).rejects.toThrow(/arrays midpoint\.w and midpoint\.state|arrays central\.w/);
    writeFileSync(partial, writeNpz(members));
    await expect(run(partial)).rejects.toThrow(/array "step"/);
    expect(existsSync(join(base, "never"))).toBe(false);
  });
});

test("the last weights are found beside damaged and foreign checkpoints, and their absence is no error", () => {
  const folder = copyOf("beside");
  const checkpoints = join(folder, NAMES.checkpoints);
  writeFileSync(join(checkpoints, "checkpoint_3.npz"), "no zip");
  writeCheckpoint(join(checkpoints, "checkpoint_99.npz"), { index: 99, arrays: new Map() }, "");
  expect(latestCheckpoint(folder)?.index).toBe(STEPS);
  rmSync(join(checkpoints, NAMES.latest));
  expect(latestCheckpoint(folder)).toBeUndefined();
});
