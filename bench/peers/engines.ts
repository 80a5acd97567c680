import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** A peer that can be run: the name of its rows, and the command that takes a problem's folder as its last word. */
export interface Engine {
  readonly name: string;
  readonly command: readonly string[];
  /** Words after the folder. */
  readonly options: readonly string[];
  /** The largest relative error of a result that is right to the precision this peer claims. */
  readonly tolerance: number;
  /** What it may take for one problem, with all its methods. */
  readonly seconds: number;
}

const pathOf = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
const BENCH = pathOf("..");

/** float64 whose exp and tanh have single precision passes; so do sums of a thousand terms in float32. */
const TOLERANCE = { double: 1e-6, single: 1e-3 };

/** The JavaScript peers; undefined where they are not installed. */
export function javaScriptEngines(): Engine[] | undefined {
  const versionOf = (name: string): string =>
    JSON.parse(readFileSync(`${BENCH}/node_modules/${name}/package.json`, "utf8")).version;
  if (!existsSync(`${BENCH}/node_modules`)) return undefined;
  const jax = `@jax-js/jax ${versionOf("@jax-js/jax")}`;
  const tensorflow = `TensorFlow.js ${versionOf("@tensorflow/tfjs")}`;
  const engine = (name: string, file: string, option: string, tolerance: number): Engine => ({
    name: `${name} ${option}`,
    command: [process.execPath, pathOf(file)],
    options: [option],
    tolerance,
    seconds: 30,
  });
  return [
    engine(jax, "jax_peer.mjs", "float64", TOLERANCE.double),
    engine(jax, "jax_peer.mjs", "float32", TOLERANCE.single),
    engine(tensorflow, "tfjs_peer.mjs", "wasm", TOLERANCE.single),
    engine(tensorflow, "tfjs_peer.mjs", "cpu", TOLERANCE.single),
  ];
}

/** Installs the JavaScript peers where their package.json stands. Returns what went wrong, if anything did. */
export function installPeers(): string | undefined {
  const { status, error } = spawnSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], {
    cwd: BENCH,
    stdio: ["ignore", "ignore", "inherit"],
    shell: process.platform === "win32",
  });
  return status === 0 ? undefined : (error?.message ?? `npm ci in bench/ ended with status ${status}`);
}

/** Where a Python is looked for, the first that has what is asked for being taken. */
export const pythons = (): string[] =>
  [process.env.BENCH_PYTHON, join(BENCH, ".venv/bin/python"), "python3", "python"].flatMap(
    (one) => one || [],
  );

/** PyTorch, where BENCH_PYTHON, bench/.venv or the path has a Python that imports it and numpy. */
export function torchEngine(): Engine | undefined {
  for (const python of pythons()) {
    const ask = ["-W", "ignore", "-c", "import numpy, torch; print(torch.__version__)"];
    const { status, stdout } = spawnSync(python, ask, { encoding: "utf8" });
    if (status !== 0) continue;
    const command = [python, "-W", "ignore", pathOf("torch_peer.py")];
    return {
      name: `PyTorch ${stdout.trim()}`,
      command,
      options: [],
      tolerance: TOLERANCE.double,
      seconds: 60,
    };
  }
  return undefined;
}
