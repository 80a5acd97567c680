import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { valueError } from "../base/index.ts";
import { type Checkpoint, NAMES, readCheckpoint } from "../record/index.ts";

/**
 * The checkpoints of a run by their steps, each step once; the last is of the end of a run that has ended.
 *
 * @param operation named in errors, such as `export`
 * @throws InputValueError where there is none, or one cannot be read
 */
export function checkpointsOf(directory: string, operation: string): Checkpoint[] {
  const folder = join(directory, NAMES.checkpoints);
  const there = existsSync(folder) ? readdirSync(folder).filter((name) => /^[^.].*\.npz$/.test(name)) : [];
  // That of a row before the last is only for `resume`; a run that was killed may have no other.
  const others = there.filter((name) => name !== NAMES.resume);
  const names = others.length > 0 ? others : there;
  const found = new Map(
    names.map((name) => readCheckpoint(join(folder, name))).map((each) => [each.index, each]),
  );
  if (found.size === 0) throw valueError(operation, "a run with checkpoints", `none in ${folder}`);
  return [...found.values()].sort((a, b) => a.index - b.index);
}

/** The checkpoint of the last weights of a run; undefined where there is none that can be read. Other files are not looked at. */
export function latestCheckpoint(directory: string): Checkpoint | undefined {
  try {
    return readCheckpoint(join(directory, NAMES.checkpoints, NAMES.latest));
  } catch {
    return undefined;
  }
}

/** The checkpoint of a step among those of a run, or the last. @throws InputValueError where it has none, naming those there are */
export function checkpointAt(
  checkpoints: readonly Checkpoint[],
  step: number | null,
  operation: string,
): Checkpoint {
  const found = step === null ? checkpoints.at(-1) : checkpoints.find(({ index }) => index === step);
  if (found) return found;
  const steps = checkpoints.map(({ index }) => index).join(", ");
  throw valueError(
    `${operation} --step`,
    `a step with a checkpoint (${steps})`,
    String(step),
    "run with --checkpoint.steps",
  );
}

/**
 * A process' part of a checkpoint: its weights and the optimizer's state.
 *
 * @throws InputValueError where it has none, naming the processes there are, or as many weights as the network has not
 */
export function processIn(
  { arrays }: Checkpoint,
  process: string,
  count: number,
  operation: string,
): { readonly weights: Float64Array; readonly state: Float64Array } {
  const weights = arrays.get(`${process}.w`);
  const state = arrays.get(`${process}.state`);
  if (!weights || !state) {
    const there = [...arrays.keys()].flatMap((name) => (name.endsWith(".w") ? [name.slice(0, -2)] : []));
    throw valueError(`${operation} --process`, `one of the run's processes (${there.join(", ")})`, process);
  }
  if (weights.length !== count)
    throw valueError(operation, `${count} weights for the network of config.json`, String(weights.length));
  return { weights, state };
}
