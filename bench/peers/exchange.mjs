// How a peer meets the suite, in files: FOLDER/problem.json says what the problem is and where in FOLDER/problem.f64
// its arrays stand; the peer writes each result to a file in FOLDER and says on standard output, one line of JSON each,
// how long an operation took or why it could not be done. Operations: gradient (∇L), hvp (Hv of the first direction,
// the primal included), shared (the same at weights where others were taken), joint (∇L, every Hu_i, and
// D³L[u_i, u_j, ·] for i ≤ j).
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const MOST_SAMPLES = 11;
const BUDGET = 600;
// A first call that takes this long counts: what it prepares is little beside it.
const SLOW = 5000;

/** The problem in a folder: its description, with a `data` in every array. */
export function readProblem(folder) {
  const problem = JSON.parse(readFileSync(join(folder, "problem.json"), "utf8"));
  const bytes = readFileSync(join(folder, "problem.f64"));
  const numbers = new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  const { parameters, directions, arrays, tokenPlanes } = problem;
  for (const array of [...parameters, ...directions.flat(), ...Object.values(arrays), ...tokenPlanes])
    array.data = numbers.subarray(array.start, array.start + array.shape.reduce((a, b) => a * b, 1));
  return problem;
}

/**
 * Runs an operation once for its result, and then for the clock.
 * @param method what distinguishes this way of doing the operation from others
 * @param prepare returns the function that does all the work and returns arrays of numbers, one after another
 */
export function measure(folder, operation, method, prepare) {
  try {
    const start = performance.now();
    const run = prepare();
    const result = run();
    const first = performance.now() - start;
    const file = `${operation} ${method}.f64`;
    writeFileSync(join(folder, file), joined(result));
    const samples = first > SLOW ? [first] : [];
    let left = BUDGET - samples.length * first;
    while (samples.length < MOST_SAMPLES && left > 0) {
      const before = performance.now();
      run();
      const spent = performance.now() - before;
      samples.push(spent);
      left -= spent;
    }
    say({ operation, method, file, first, samples });
  } catch (error) {
    say({ operation, method, error: String(error?.message ?? error).split("\n")[0] });
  }
}

function joined(parts) {
  const all = new Float64Array(parts.reduce((total, { length }) => total + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** One line for the suite. */
export const say = (line) => console.log(JSON.stringify(line));
