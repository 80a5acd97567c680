import type { Preset } from "./types.ts";

const eig = { frequency: 1, tol: 1e-7 } as const;
const runs = ["discrete", "midpoint", "central", "stable"] as const;
/** Rounding keeps the optimizer's oscillation from dying below the edge, as it does in the authors' runs. */
const discrete = { precision: "float32" } as const;
const rmsprop = { beta2: 0.99, eps: 1e-7, biasCorrection: true } as const;

/** Four classes of the embedded digits: the fewer the classes, the sooner a small network learns them. */
const digits = { name: "digits", n: 64, classes: 4 } as const;
const sorting = { name: "sorting", n: 64, nTest: 32, length: 4, criterion: "mse" } as const;

// Output layers start at a size that is not 0, so that training leaves its first plateau.
const vit = { name: "vit", dim: 8, depth: 1, mlpDim: 16, numHeads: 1, initScale: 1 } as const;
const transformer = { name: "transformer", layers: 1, dModel: 8, nhead: 2, weightMultiplier: 1 } as const;

/**
 * One small run for each network, and each optimizer on cnn, vit and transformer, on data that need no file. They were
 * chosen by scans over η and the length of the warm start, some hundred runs, so that the flow is seen to be followed:
 * the central flow is at the edge for most of the run and farther from the optimizer than the stable flow in at most 15 % of
 * its steps there. What helps: a warm start past the first burst, to where the optimizer oscillates already, and the
 * optimizer in float32. Each holds for its own seed; from another seed a network of this size may be at the edge at another time.
 */
export const SMALL_PRESETS = {
  "mlp-digits": {
    help: "gradient descent, mse",
    opt: { name: "gd", lr: 0.3 },
    data: { name: "digits", n: 200 },
    arch: { name: "mlp", width: 8 },
    runs,
    steps: 200,
    warmStart: 100,
    discrete,
    eig,
  },
  "mlp-digits-heavy-ball": {
    help: "heavy ball, β 0.9, late in training",
    opt: { name: "heavy-ball", lr: 0.25, schedule: "warmup", warmupSteps: 100 },
    data: { name: "digits", n: 1000 },
    arch: { name: "mlp", width: 8 },
    runs,
    steps: 300,
    warmStart: 2900,
    discrete,
    eig,
  },
  "mlp-digits-nesterov": {
    help: "Nesterov, β 0.9, late in training",
    opt: { name: "nesterov", lr: 0.15, schedule: "warmup", warmupSteps: 100 },
    data: { name: "digits", n: 200 },
    arch: { name: "mlp", width: 8 },
    runs,
    steps: 500,
    warmStart: 400,
    discrete,
    eig,
  },
  "mlp-digits-adam": {
    help: "Adam, β1 0.9, β2 0.99, late in training",
    opt: { name: "adam", lr: 0.003, beta2: 0.99, schedule: "warmup", warmupSteps: 100 },
    data: { name: "digits", n: 200 },
    arch: { name: "mlp", width: 8 },
    runs,
    steps: 400,
    warmStart: 400,
    discrete,
    eig,
  },
  "mlp-moons-rmsprop": {
    help: "RMSProp on points in the plane",
    opt: { name: "rmsprop", lr: 0.005, ...rmsprop },
    data: { name: "moons", n: 100 },
    arch: { name: "mlp", width: 16 },
    runs,
    steps: 120,
    warmStart: 100,
    discrete,
    eig,
  },
  "cnn-digits": {
    help: "gradient descent, four classes",
    opt: { name: "gd", lr: 0.15 },
    data: digits,
    arch: { name: "cnn", width: 8 },
    runs,
    steps: 100,
    warmStart: 600,
    discrete,
    eig,
  },
  "cnn-digits-scalar-rmsprop": {
    help: "scalar RMSProp, two classes",
    opt: { name: "scalar-rmsprop", lr: 0.04, ...rmsprop },
    data: { ...digits, classes: "binary" },
    arch: { name: "cnn", width: 4 },
    runs,
    steps: 180,
    warmStart: 5,
    discrete,
    eig,
  },
  "cnn-digits-rmsprop": {
    help: "RMSProp, mse",
    opt: { name: "rmsprop", lr: 0.002, ...rmsprop },
    data: digits,
    arch: { name: "cnn", width: 4 },
    runs,
    steps: 80,
    warmStart: 90,
    discrete,
    eig,
  },
  "resnet-digits": {
    help: "gradient descent, two stages of one block",
    opt: { name: "gd", lr: 0.15 },
    data: { ...digits, n: 50 },
    arch: { name: "resnet", width: 4, stageSizes: [1, 1] },
    runs,
    steps: 120,
    warmStart: 350,
    discrete,
    eig,
  },
  "vit-digits": {
    help: "gradient descent, mse",
    opt: { name: "gd", lr: 0.2 },
    data: digits,
    arch: vit,
    runs,
    steps: 120,
    warmStart: 150,
    discrete,
    eig,
  },
  "vit-digits-scalar-rmsprop": {
    help: "scalar RMSProp, mse",
    opt: { name: "scalar-rmsprop", lr: 0.08, ...rmsprop },
    data: { ...digits, n: 50 },
    arch: vit,
    runs,
    steps: 90,
    warmStart: 80,
    discrete,
    eig,
  },
  "vit-digits-rmsprop": {
    help: "RMSProp, two eigenvalues at the edge",
    opt: { name: "rmsprop", lr: 0.002, ...rmsprop },
    data: { ...digits, n: 50 },
    arch: vit,
    runs,
    steps: 220,
    warmStart: 5,
    discrete,
    eig,
  },
  "lstm-sorting": {
    help: "gradient descent, mse, two eigenvalues at the edge",
    opt: { name: "gd", lr: 0.35 },
    data: sorting,
    arch: { name: "lstm", layers: 1, embdDim: 8, hiddenDim: 8 },
    runs,
    steps: 120,
    warmStart: 250,
    discrete,
    eig,
  },
  "transformer-sorting": {
    help: "gradient descent, mse",
    opt: { name: "gd", lr: 0.2 },
    data: sorting,
    arch: transformer,
    runs,
    steps: 120,
    warmStart: 150,
    discrete,
    eig,
  },
  "transformer-sorting-scalar-rmsprop": {
    help: "scalar RMSProp, mse",
    opt: { name: "scalar-rmsprop", lr: 0.08, ...rmsprop },
    data: sorting,
    arch: transformer,
    runs,
    steps: 100,
    warmStart: 120,
    discrete,
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
    discrete,
    eig,
  },
  "mamba-copying": {
    help: "RMSProp, mse; gradient descent stays on its first plateau",
    opt: { name: "rmsprop", lr: 0.0008, ...rmsprop },
    data: { name: "copying", n: 50, nTest: 20, length: 3, vocabSize: 2, criterion: "mse" },
    arch: { name: "mamba", layers: 1, dModel: 8, initScale: 4 },
    runs,
    steps: 100,
    warmStart: 60,
    discrete,
    eig,
  },
} satisfies Readonly<Record<string, Preset>>;
