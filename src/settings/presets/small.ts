import type { Preset } from "./types.ts";

const eig = { frequency: 1, tol: 1e-7 } as const;
const runs = ["discrete", "central", "stable"] as const;
/** With momentum the iterates are judged by their midpoints. */
const everyRun = ["discrete", "midpoint", "central", "stable"] as const;
const rmsprop = { beta2: 0.99, eps: 1e-7, biasCorrection: true } as const;

/** Four classes of the embedded digits: the fewer the classes, the sooner a small network learns them. */
const digits = { name: "digits", n: 64, classes: 4 } as const;
const sorting = { name: "sorting", n: 64, nTest: 32, length: 4, criterion: "mse" } as const;

// Output layers start at a size that is not 0, so that training leaves its first plateau.
const vit = { name: "vit", dim: 8, depth: 1, mlpDim: 16, numHeads: 1, initScale: 1 } as const;
const transformer = { name: "transformer", layers: 1, dModel: 8, nhead: 2, weightMultiplier: 1 } as const;

/**
 * One small run for each network, and each optimizer on cnn, vit and transformer, on data that need no file. All were
 * chosen by scans over η: the central flow is at the edge for a good part of the run, the optimizer oscillates and does
 * not diverge, and it stays nearer to the central flow than to the stable flow. Where η is small enough for the
 * sharpness to rise slowly, the optimizer's oscillation, which grows from rounding errors, sets in soon after the
 * flow's. A warm start skips steps far below the edge.
 */
export const SMALL_PRESETS = {
  "mlp-digits": {
    help: "gradient descent, mse",
    opt: { name: "gd", lr: 0.14 },
    data: { name: "digits", n: 100 },
    arch: { name: "mlp", width: 16 },
    runs,
    steps: 190,
    warmStart: 50,
    eig,
  },
  "mlp-digits-heavy-ball": {
    help: "heavy ball, β 0.9, late in training",
    opt: { name: "heavy-ball", lr: 0.25, schedule: "warmup", warmupSteps: 100 },
    data: { name: "digits", n: 1000 },
    arch: { name: "mlp", width: 8 },
    runs: everyRun,
    steps: 300,
    warmStart: 2900,
    eig,
  },
  "mlp-digits-nesterov": {
    help: "Nesterov, β 0.9, late in training",
    opt: { name: "nesterov", lr: 0.15, schedule: "warmup", warmupSteps: 100 },
    data: { name: "digits", n: 200 },
    arch: { name: "mlp", width: 8 },
    runs: everyRun,
    steps: 500,
    warmStart: 400,
    eig,
  },
  "mlp-digits-adam": {
    help: "Adam, β1 0.9, β2 0.99, late in training",
    opt: { name: "adam", lr: 0.003, beta2: 0.99, schedule: "warmup", warmupSteps: 100 },
    data: { name: "digits", n: 200 },
    arch: { name: "mlp", width: 8 },
    runs: everyRun,
    steps: 400,
    warmStart: 400,
    eig,
  },
  "mlp-moons-rmsprop": {
    help: "RMSProp on points in the plane",
    opt: { name: "rmsprop", lr: 0.005, ...rmsprop },
    data: { name: "moons", n: 100 },
    arch: { name: "mlp", width: 16 },
    runs,
    steps: 150,
    warmStart: 5,
    eig,
  },
  "cnn-digits": {
    help: "gradient descent, four classes",
    opt: { name: "gd", lr: 0.1 },
    data: digits,
    arch: { name: "cnn", width: 8 },
    runs,
    steps: 150,
    warmStart: 290,
    eig,
  },
  "cnn-digits-scalar-rmsprop": {
    help: "scalar RMSProp, two classes",
    opt: { name: "scalar-rmsprop", lr: 0.04, ...rmsprop },
    data: { ...digits, classes: "binary" },
    arch: { name: "cnn", width: 4 },
    runs,
    steps: 120,
    warmStart: 5,
    eig,
  },
  "cnn-digits-rmsprop": {
    help: "RMSProp, mse",
    opt: { name: "rmsprop", lr: 0.002, ...rmsprop },
    data: digits,
    arch: { name: "cnn", width: 4 },
    runs,
    steps: 100,
    warmStart: 5,
    eig,
  },
  "resnet-digits": {
    help: "gradient descent, two stages of one block",
    opt: { name: "gd", lr: 0.09 },
    data: { ...digits, n: 50 },
    arch: { name: "resnet", width: 4, stageSizes: [1, 1] },
    runs,
    steps: 180,
    warmStart: 140,
    eig,
  },
  "vit-digits": {
    help: "gradient descent, mse",
    opt: { name: "gd", lr: 0.1 },
    data: digits,
    arch: vit,
    runs,
    steps: 130,
    warmStart: 30,
    eig,
  },
  "vit-digits-scalar-rmsprop": {
    help: "scalar RMSProp, mse",
    opt: { name: "scalar-rmsprop", lr: 0.08, ...rmsprop },
    data: { ...digits, n: 50 },
    arch: vit,
    runs,
    steps: 90,
    warmStart: 5,
    eig,
  },
  "vit-digits-rmsprop": {
    help: "RMSProp, two eigenvalues at the edge",
    opt: { name: "rmsprop", lr: 0.002, ...rmsprop },
    data: { ...digits, n: 50 },
    arch: vit,
    runs,
    steps: 150,
    warmStart: 5,
    eig,
  },
  "lstm-sorting": {
    help: "gradient descent, mse, two eigenvalues at the edge",
    opt: { name: "gd", lr: 0.35 },
    data: sorting,
    arch: { name: "lstm", layers: 1, embdDim: 8, hiddenDim: 8 },
    runs,
    steps: 160,
    warmStart: 150,
    eig,
  },
  "transformer-sorting": {
    help: "gradient descent, mse",
    opt: { name: "gd", lr: 0.2 },
    data: sorting,
    arch: transformer,
    runs,
    steps: 260,
    warmStart: 20,
    eig,
  },
  "transformer-sorting-scalar-rmsprop": {
    help: "scalar RMSProp, mse",
    opt: { name: "scalar-rmsprop", lr: 0.08, ...rmsprop },
    data: sorting,
    arch: transformer,
    runs,
    steps: 140,
    warmStart: 10,
    eig,
  },
  "transformer-sorting-rmsprop": {
    help: "RMSProp, cross-entropy",
    opt: { name: "rmsprop", lr: 0.0015, ...rmsprop },
    data: { ...sorting, criterion: "ce" },
    arch: transformer,
    runs,
    steps: 140,
    warmStart: 5,
    eig,
  },
  "mamba-copying": {
    help: "RMSProp, mse; gradient descent stays on its first plateau",
    opt: { name: "rmsprop", lr: 0.0004, ...rmsprop },
    data: { name: "copying", n: 50, nTest: 20, length: 3, vocabSize: 2, criterion: "mse" },
    arch: { name: "mamba", layers: 1, dModel: 8, initScale: 4 },
    runs,
    steps: 160,
    warmStart: 80,
    eig,
  },
} satisfies Readonly<Record<string, Preset>>;
