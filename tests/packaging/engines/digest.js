// Runs from a built package's folder, next to settings/ and the others, on any JavaScript engine, in a page too.
import { parseRun } from "../settings/index.js";
import { buildRun, RowBytes } from "../simulation/index.js";

const EDGE = "--steps 12 --eig.frequency 1 --warm-start 30";
const SMALL = "data:digits --data.n 40 arch:mlp --arch.width 5";
const TOKENS = "data:sorting --data.criterion ce --data.n 12 --data.n-test 4 --data.length 4";

/** Words of runs: every rule, every process, every architecture, both criteria; small enough for an interpreter. */
export const RUNS = {
  gd: `opt:gd --opt.lr 0.5 ${SMALL} ${EDGE}`,
  "gd, Lanczos": `opt:gd --opt.lr 0.5 ${SMALL} ${EDGE} --eig.solver lanczos`,
  "gd, cosine": `opt:gd --opt.lr 0.5 --opt.schedule cosine --opt.warmup-steps 3 --opt.weight-decay 0.01 ${SMALL} ${EDGE}`,
  "scalar-rmsprop": `opt:scalar-rmsprop --opt.lr 0.02 --opt.beta2 0.95 ${SMALL} ${EDGE} --runs discrete midpoint central stable stationary ablated`,
  rmsprop: `opt:rmsprop --opt.lr 0.005 --opt.beta2 0.95 ${SMALL} --arch.activation tanh ${EDGE} --runs discrete midpoint central stable stationary ablated`,
  "heavy-ball": `opt:heavy-ball --opt.lr 0.03 ${SMALL} ${EDGE}`,
  nesterov: `opt:nesterov --opt.lr 0.03 ${SMALL} ${EDGE}`,
  adam: `opt:adam --opt.lr 0.005 --opt.beta2 0.95 ${SMALL} --arch.activation silu ${EDGE}`,
  nadam: `opt:nadam --opt.lr 0.005 --opt.beta2 0.95 ${SMALL} ${EDGE}`,
  "scalar-adam": `opt:scalar-adam --opt.lr 0.02 --opt.beta2 0.95 ${SMALL} ${EDGE}`,
  moons: `opt:gd --opt.lr 1 data:moons --data.n 30 arch:mlp --arch.width 6 ${EDGE}`,
  cnn: "opt:gd --opt.lr 0.2 data:digits --data.n 12 --data.criterion ce arch:cnn --arch.width 2 --steps 3 --eig.frequency 1",
  resnet:
    "opt:gd --opt.lr 0.1 data:digits --data.n 10 arch:resnet --arch.width 2 --arch.stage-sizes 1 1 --steps 2 --eig.frequency 1",
  vit: "opt:gd --opt.lr 0.1 data:digits --data.n 10 arch:vit --arch.dim 8 --arch.depth 1 --arch.mlp-dim 8 --arch.num-heads 1 --steps 2 --eig.frequency 1",
  lstm: `opt:gd --opt.lr 0.5 ${TOKENS} arch:lstm --arch.layers 1 --arch.embd-dim 3 --arch.hidden-dim 4 --steps 2 --eig.frequency 1`,
  transformer: `opt:gd --opt.lr 0.1 ${TOKENS} arch:transformer --arch.layers 1 --arch.d-model 4 --arch.nhead 1 --steps 2 --eig.frequency 1`,
  mamba: `opt:gd --opt.lr 0.1 ${TOKENS} arch:mamba --arch.layers 1 --arch.d-model 4 --steps 2 --eig.frequency 1`,
};

/** 64 bits of all rows of a run, in hexadecimal: two 32-bit hashes (FNV-1a, the second from another start). */
function digestOf(words, backend) {
  const { config } = parseRun([...words.split(" "), "--backend", backend, "--threads", "1"]);
  const { simulation, dispose } = buildRun(config, {});
  const bytes = new RowBytes();
  let [a, b] = [0x811c9dc5, 0x01234567];
  let running = true;
  for (let index = 0; running && index < config.steps; index++) {
    const row = { index, step: simulation.initialStep + index, quantities: simulation.step() };
    for (const byte of bytes.of(row)) {
      a = Math.imul(a ^ byte, 0x01000193);
      b = Math.imul(b ^ byte, 0x01000193) ^ (a >>> 15);
    }
    running = Object.values(simulation.statuses()).some(({ kind }) => kind === "running");
  }
  dispose();
  return [a, b].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}

/** Every run's digest, a line each. */
export function digests(backend) {
  return Object.entries(RUNS).map(([name, words]) => `${digestOf(words, backend)}  ${name}`);
}
