import { basename, join, resolve } from "node:path";
import {
  BLOCK_KINDS,
  type CurvatureAt,
  densityCurve,
  hessianSpectrum,
  MATRICES,
  type MatrixName,
  preconditionerAt,
  spectrumQuantities,
} from "../../analysis/index.ts";
import {
  choice,
  either,
  flag,
  integer,
  type Setting,
  Stopped,
  text,
  type Values,
  valueError,
} from "../../base/index.ts";
import { rightsOf } from "../../custom/index.ts";
import { extentsOf, writeFileAtomic, writeHdf5 } from "../../record/index.ts";
import {
  type AnalysedPoint,
  eigenvalueTable,
  renderSpectra,
  spectrumTable,
  tableText,
} from "../../report/index.ts";
import {
  checkpointAt,
  checkpointsOf,
  configAtCheckpoints,
  nodeHost,
  openRun,
  processIn,
} from "../../run/index.ts";
import {
  canonical,
  didYouMean,
  hyphenated,
  nearest,
  REFERENCE_PROCESSES,
  type RunConfig,
  SELECTOR,
} from "../../settings/index.ts";
import { type BuiltRun, buildRun, inNetworkWeights, type StepRow } from "../../simulation/index.ts";
import { watchInterrupts } from "../terminal/signals.ts";
import { command, parseRun, readCommand } from "./command.ts";
import { environmentLine } from "./report.ts";
import { json } from "./shared-settings.ts";

const atLeast = (min: number, usual: number, help: string) =>
  ({ kind: integer({ min }), default: usual, help }) satisfies Setting<number>;

const settings = {
  step: {
    kind: either(integer({ min: 0 }), "none", null),
    default: null,
    help: "of checkpoint_N.npz (the last checkpoint, at the end of a run its final weights)",
  },
  every: {
    kind: either(integer({ min: 1 }), "none", null),
    default: null,
    help: "all checkpoints of a run at steps that N divides: one line of the table each",
  },
  process: { kind: choice(...REFERENCE_PROCESSES), default: "discrete", help: "whose weights" },
  part: {
    kind: choice("all", ...MATRICES),
    default: "all",
    help: "the Hessian H, its Gauss–Newton part G, the rest S = H − G, or all three",
  },
  blocks: { kind: choice(...BLOCK_KINDS), default: "none", help: "also block by block" },
  preconditioned: {
    kind: flag,
    default: false,
    help: "of P⁻¹H, with the optimizer's P there, in place of H",
  },
  largest: atLeast(0, 5, "eigenpairs at the upper end"),
  smallest: atLeast(0, 5, "eigenpairs at the lower end, the most negative"),
  probes: atLeast(1, 10, "random vectors for the density"),
  lanczosSteps: atLeast(1, 60, "products with each of them"),
  traceProducts: atLeast(6, 60, "products for the trace"),
  probeSeed: { kind: integer({ min: 0 }), default: 0, help: "seed of the random vectors" },
  output: {
    kind: either(text("FILE"), "none", null),
    default: null,
    help: "the page to write, an .hdf5 beside it (spectrum.html, in the run's folder if there is one)",
  },
  json: json("print what was found as JSON"),
} as const;

/** A run's folder, or what the words of a run describe. */
type Subject =
  | { readonly dir: string; readonly config?: undefined }
  | { readonly config: RunConfig; readonly notices: readonly string[]; readonly dir?: undefined };

type Asked = Values<typeof settings> & { readonly subject: Subject };

/** Tells this command's flags, with their values, from the words of a run. */
function ownWords(argv: readonly string[]): { readonly own: string[]; readonly rest: string[] } {
  const flags = new Map(
    Object.entries(settings).map(([key, { kind }]) => [canonical(hyphenated(key)), kind === flag]),
  );
  const own: string[] = [];
  const rest: string[] = [];
  for (let at = 0; at < argv.length; at++) {
    const name = argv[at].startsWith("--") ? canonical(argv[at].slice(2).split("=", 1)[0]) : "";
    const isSwitch = flags.get(name);
    if (isSwitch === undefined) rest.push(argv[at]);
    else {
      own.push(argv[at]);
      if (!isSwitch && !argv[at].includes("=") && at + 1 < argv.length) own.push(argv[++at]);
    }
  }
  return { own, rest };
}

function subjectOf(rest: readonly string[]): Subject {
  const [first, second] = rest;
  if (first === undefined)
    throw valueError(
      "analyse",
      "the folder of a run, or the words of one",
      "none",
      "for example central-flows analyse experiments/my-run",
    );
  if (first.startsWith("-") || SELECTOR.test(first)) return parseRun(rest);
  if (second === undefined) return { dir: first };
  const near = nearest(canonical(second.replace(/^-+/, "")), Object.keys(settings).map(hyphenated));
  throw valueError(
    "analyse",
    "one folder of a run and flags of analyse",
    second,
    didYouMean(near.map((name) => `--${name}`)),
  );
}

/** Analyses the curvature at weights: prints a table, writes a page and an HDF5 file. */
export const analyse = command({
  name: "analyse",
  usage: "DIR|WORDS… [--step N | --every N] [--process NAME] [--blocks KIND] [--json]",
  summary: "the Hessian at weights: ends of its spectrum, density, trace",
  about: [
    "Both ends of the Hessian's spectrum with eigenvectors, its density and trace with error bars, of",
    "its Gauss–Newton part and of the rest, over all examples. DIR is the folder of a run, whose",
    "checkpoints have the weights; or WORDS are those of a run: its first weights, or those of --init",
    "FILE, before any warm start. The same bits on any number of threads.",
  ],
  settings,
  example: "analyse experiments/my-run --every 50 --blocks layers",
  words: (positionals): { readonly subject: Subject } => ({ subject: subjectOf(positionals) }),
  read(argv): Asked {
    const { own, rest } = ownWords(argv);
    const plain = { ...analyse, read: undefined, words: () => ({}) };
    const values = readCommand(plain, own) as Values<typeof settings>;
    const subject = subjectOf(rest);
    if (values.step !== null && values.every !== null)
      throw valueError("analyse", "either --step or --every", "both");
    if (subject.config && (values.step !== null || values.every !== null))
      throw valueError("analyse", "the folder of a run with --step or --every", "the words of a run");
    return { ...values, subject };
  },
  async run(asked) {
    const say = (line: string): void => void process.stderr.write(`${line}\n`);
    const interrupts = watchInterrupts(say);
    try {
      return await analysed(asked, interrupts.asked, say);
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
      say("interrupted");
      return 130;
    } finally {
      interrupts.stop();
    }
  },
});

/** Weights to look at, where an optimizer has brought them. */
interface Place {
  readonly name: string;
  /** The optimizer's steps so far. */
  readonly step: number;
  readonly weights: Float64Array;
  readonly state: Float64Array;
}

async function analysed(
  asked: Asked,
  shouldStop: () => boolean,
  say: (line: string) => void,
): Promise<number> {
  const { subject, json } = asked;
  const config = subject.config
    ? inNetworkWeights(subject.config)
    : configAtCheckpoints(subject.dir, "analyse");
  const rights = rightsOf(config);
  if (rights !== undefined) say(rights);
  const built = buildRun(config, nodeHost({ copies: subject.dir, shouldStop }));
  const started = performance.now();
  try {
    for (const line of [...(subject.config ? subject.notices : []), ...built.notices]) say(line);
    const places =
      subject.dir === undefined
        ? [startOf(built)]
        : await placesIn(subject.dir, asked, built.objective.dimension);
    const points: AnalysedPoint[] = [];
    for (const place of places) {
      const found = curvatureAt(built, place, asked, shouldStop);
      for (const line of doubts(found, place.name)) say(line);
      const curves = found.spectra.map(({ density }) => densityCurve(density));
      points.push({ ...found, name: place.name, step: place.step, curves });
      if (places.length > 1) say(`${place.name}: ${points.length} of ${places.length}`);
    }
    const page = asked.output ?? join(subject.dir ?? ".", "spectrum.html");
    const hdf5 = page.replace(/(\.html?)?$/i, ".hdf5");
    const seconds = (performance.now() - started) / 1000;
    const title =
      subject.dir === undefined
        ? `${nameOf(config.arch)}${config.data.name === "none" ? "" : ` on ${nameOf(config.data)}`}`
        : `${basename(resolve(subject.dir))}, ${asked.process}`;
    const told = {
      title,
      points,
      ...(asked.preconditioned && { edge: built.criticalValue }),
      environment: environmentLine({ backend: built.backend, seconds }),
    };
    writeFileAtomic(page, renderSpectra(told));
    const rows = points.map(
      (point, index): StepRow => ({ index, step: point.step, quantities: spectrumQuantities(point) }),
    );
    await writeHdf5(hdf5, extentsOf(rows), { rowCount: rows.length, rows: () => rows });
    if (json)
      process.stdout.write(`${JSON.stringify({ points: points.map(plainPoint), page, hdf5 }, null, 2)}\n`);
    else {
      process.stdout.write(`${tableText(spectrumTable(told))}\n`);
      if (points.length === 1) process.stdout.write(`${tableText(eigenvalueTable(points[0]))}\n`);
      process.stdout.write(`page ${page}\nhdf5 ${hdf5}\n`);
    }
    return 0;
  } finally {
    built.dispose();
  }
}

/** A part by its name, one from a file by its file. */
const nameOf = (part: { readonly name: string; readonly file?: string }): string => part.file ?? part.name;

/** The weights that a run begins with, with the optimizer's first state. */
function startOf({ rule, start }: BuiltRun): Place {
  return { name: "start", step: 0, weights: start, state: rule.rule.initialState(rule.dimension) };
}

/** Those of a run's checkpoints that are asked for. */
async function placesIn(dir: string, { step, every, process }: Asked, count: number): Promise<Place[]> {
  const checkpoints = checkpointsOf(dir, "analyse");
  const chosen =
    every === null
      ? [checkpointAt(checkpoints, step, "analyse")]
      : checkpoints.filter(({ index }) => index % every === 0);
  if (chosen.length === 0)
    throw valueError(
      "analyse --every",
      `a number that divides a step with a checkpoint (${checkpoints.map(({ index }) => index).join(", ")})`,
      String(every),
      "run with --checkpoint.steps",
    );
  // The steps of a warm start come before those that checkpoints count.
  const [first] = (await openRun(dir, "analyse")).rows(0, 1);
  const before = first === undefined ? 0 : first.step - first.index;
  return chosen.map((checkpoint) => ({
    name:
      before > 0
        ? `step ${before + checkpoint.index} (checkpoint ${checkpoint.index})`
        : `step ${checkpoint.index}`,
    step: before + checkpoint.index,
    ...processIn(checkpoint, process, count, "analyse"),
  }));
}

function curvatureAt(
  { objective, rule }: BuiltRun,
  { weights, state }: Place,
  asked: Asked,
  shouldStop: () => boolean,
): CurvatureAt {
  const { part, blocks, largest, smallest, probes, lanczosSteps, traceProducts, probeSeed } = asked;
  const isOptimizer = asked.process === "discrete" || asked.process === "midpoint";
  const matrices: readonly MatrixName[] = part === "all" ? MATRICES : [part];
  return hessianSpectrum(objective, weights, {
    matrices,
    blocks,
    largest,
    smallest,
    probes,
    steps: lanczosSteps,
    products: traceProducts,
    seed: probeSeed,
    shouldStop,
    ...(asked.preconditioned && {
      preconditioner: preconditionerAt(objective, rule, weights, state, isOptimizer),
    }),
  });
}

/** A line for each search for eigenpairs that did not end well. */
const doubts = ({ spectra }: CurvatureAt, where: string): string[] =>
  spectra.flatMap(({ matrix, block, status, largest, smallest }) => {
    if (status === "converged") return [];
    const worst = Math.max(...largest.residuals, ...smallest.residuals);
    return [
      `${matrix} of ${block.name} at ${where}: eigenpairs ended ${status}, residuals up to ${worst.toExponential(1)}`,
    ];
  });

/** What is printed as JSON of a point. */
const plainPoint = ({ name, step, loss, gradientNorm, spectra }: AnalysedPoint) => ({
  name,
  step,
  loss,
  gradientNorm,
  spectra: spectra.map(({ matrix, block, largest, smallest, trace, status, applications }) => ({
    matrix,
    block: block.name,
    weights: block.size,
    largest: [...largest.values],
    largestResiduals: [...largest.residuals],
    smallest: [...smallest.values],
    smallestResiduals: [...smallest.residuals],
    trace: trace.value,
    traceError: trace.error,
    status,
    products: applications,
  })),
});
