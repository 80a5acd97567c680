import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { valueError } from "../base/index.ts";
import { loadOwnFile } from "../custom/index.ts";
import { makeFolder, takeLock, writeFileAtomic } from "../record/index.ts";
import { configHash } from "../run/index.ts";
import { type FileKind, parseRun, type RunConfig } from "../settings/index.ts";
import { type Dimension, gridOf, MOST_POINTS, parseSweepWords, type Values, wordsOfAxis } from "./axes.ts";
import { readSweep, SWEEP_NAMES, type Sweep, type SweepPoint, sweepText } from "./folder.ts";

/** A name of a folder holds 255 bytes; a point's has its index and, as far as they fit, its values. */
const LONGEST_ID = 120;

/** Reads files and rules once, however many points name them. */
function memoised<T>(read: (path: string) => T): (path: string) => T {
  const known = new Map<string, T>();
  return (path) => {
    if (!known.has(path)) known.set(path, read(path));
    return known.get(path) as T;
  };
}

/** Reads the words of points: files and rules are read once. */
export function pointReader(): (words: readonly string[], id: string) => RunConfig {
  const byKind = memoised((kind) => memoised((path) => loadOwnFile(kind as FileKind, path)));
  const surroundings = {
    readFile: memoised((path) => readFileSync(path, "utf8")),
    loadFile: (kind: FileKind, path: string) => byKind(kind)(path),
  };
  return (words, id) => parseRun(words, { ...surroundings, newExpid: () => id }).config;
}

/** The name of a point: its index and its values, of letters that every file system takes. */
function idOf(index: number, values: Values): string {
  const told = Object.entries(values).map(([name, value]) => `${name}=${value}`);
  const id = [String(index).padStart(4, "0"), ...told].join("_").replaceAll(/[^\w.=+-]/g, "-");
  return id.slice(0, LONGEST_ID).replace(/\.$/, "");
}

function pointsOf(words: readonly string[], grid: readonly Values[], first: number): SweepPoint[] {
  const read = pointReader();
  return grid.map((values, i) => {
    const all = [...words, ...Object.entries(values).map(([name, value]) => wordsOfAxis(name, value))];
    const id = idOf(first + i, values);
    const config = read(all, id);
    return { index: first + i, id, words: all, values, hash: configHash(config), steps: config.steps };
  });
}

/** Settings that a sweep gives its points itself. */
function refuseOwn(words: readonly string[], dimensions: readonly Dimension[]): void {
  const typed = [
    ...words.map((word) => word.split("=", 1)[0]),
    ...dimensions.flat().map(({ name }) => `--${name}`),
  ];
  const own = typed.find((word) => ["--out", "--expid"].includes(word.toLowerCase()));
  if (own !== undefined)
    throw valueError(
      "sweep",
      "settings of the runs",
      own,
      "the folders and names of runs are the sweep's own",
    );
}

const axesIn = (dimensions: readonly Dimension[]): string[] => dimensions.flat().map(({ name }) => name);

/** What a point is, apart from its index. */
const identity = ({ words }: Pick<SweepPoint, "words">): string => JSON.stringify(words);

/**
 * Plans a sweep: reads the words of every point, so that a mistake is found before anything is computed, and writes its
 * folder. Planned again with the same words, a sweep stays as it is.
 *
 * @param directory its folder, made where it is missing
 * @param argv what `run` would be told, and axes
 * @param taskLine the command that computes a point, for tasks.txt
 * @returns the sweep and whether it was there before
 * @throws InputValueError or InputKindError naming the word to change; where the folder holds another sweep or other files
 */
export function planSweep(
  directory: string,
  argv: readonly string[],
  taskLine: (sweep: Sweep, index: number) => string,
): { readonly sweep: Sweep; readonly known: boolean } {
  const { words, dimensions } = parseSweepWords(argv);
  if (dimensions.length === 0)
    throw valueError(
      "sweep",
      "an axis or more",
      "none",
      "for example --sweep opt.lr=0.1,0.2 --sweep seed=0..4",
    );
  refuseOwn(words, dimensions);
  const points = pointsOf(words, gridOf(dimensions), 0);
  const sweep: Sweep = {
    directory,
    name: basename(resolve(directory)),
    cwd: process.cwd(),
    words,
    axes: axesIn(dimensions),
    points,
  };
  if (existsSync(join(directory, SWEEP_NAMES.plan))) {
    const there = readSweep(directory, "sweep");
    if (points.every((point, i) => there.points[i] && identity(point) === identity(there.points[i])))
      return { sweep: there, known: true };
    throw valueError(
      "sweep",
      "a new name, or the words of the sweep that has it",
      `other words than those of ${directory}`,
      `choose another name, or add points: central-flows sweep add ${directory} --sweep flag=values`,
    );
  }
  if (existsSync(directory) && readdirSync(directory).length > 0)
    throw valueError(
      "sweep",
      "a new folder for the sweep",
      `${directory}, which holds other files`,
      "choose another name",
    );
  makeFolder(join(directory, SWEEP_NAMES.runs));
  writePlan(sweep, taskLine);
  return { sweep, known: false };
}

/**
 * Appends points to a sweep: its words with other axes, or more values of the same. Indices of points stay; points that
 * it has already are left out.
 *
 * @param argv axes, and words besides those that all points have
 * @returns the sweep and how many points are new
 */
export function addPoints(
  directory: string,
  argv: readonly string[],
  taskLine: (sweep: Sweep, index: number) => string,
): { readonly sweep: Sweep; readonly added: number } {
  const { words, dimensions } = parseSweepWords(argv);
  if (dimensions.length === 0)
    throw valueError("sweep add", "an axis or more", "none", "for example --sweep seed=5..9");
  refuseOwn(words, dimensions);
  readSweep(directory, "sweep add");
  const lock = takeLock(directory, "sweep add");
  try {
    const before = readSweep(directory, "sweep add");
    const known = new Set(before.points.map(identity));
    const shared = [...before.words, ...words];
    const asked = gridOf(dimensions).filter(
      (values) =>
        !known.has(
          identity({
            words: [...shared, ...Object.entries(values).map(([name, value]) => wordsOfAxis(name, value))],
          }),
        ),
    );
    if (before.points.length + asked.length > MOST_POINTS)
      throw valueError(
        "sweep add",
        `at most ${MOST_POINTS} points`,
        String(before.points.length + asked.length),
      );
    const points = pointsOf(shared, asked, before.points.length);
    const axes = [...new Set([...before.axes, ...axesIn(dimensions)])];
    const sweep = { ...before, axes, points: [...before.points, ...points] };
    if (points.length > 0) writePlan(sweep, taskLine);
    return { sweep, added: points.length };
  } finally {
    lock.release();
  }
}

/** Writes sweep.json and tasks.txt. */
export function writePlan(sweep: Sweep, taskLine: (sweep: Sweep, index: number) => string): void {
  writeFileAtomic(join(sweep.directory, SWEEP_NAMES.plan), sweepText(sweep));
  const lines = sweep.points.map(({ index }) => taskLine(sweep, index));
  writeFileAtomic(join(sweep.directory, SWEEP_NAMES.tasks), `${lines.join("\n")}\n`);
}
