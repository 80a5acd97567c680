import type { Preset } from "./types.ts";

/** CIFAR-10 as the authors use it: 1000 examples of the first four classes. */
const cifar = { name: "cifar10", n: 1000, classes: 4, criterion: "mse" } as const;
const rmsprop = { beta2: 0.99, eps: 1e-7, biasCorrection: true } as const;
const common = { runs: ["discrete", "central", "stable"], eig: { frequency: 1 } } as const;

/**
 * The experiments of Cohen et al., arXiv 2410.24206. Values come from where each sentence says: the authors' README
 * and docs/minimal.md of the authors' code, or the figures of centralflows.github.io. "After the
 * paper": task and number of examples are the paper's, all else is the authors' default or a choice made here.
 */
export const REFERENCE_PRESETS = {
  "reference-mlp-gd": {
    help: "the authors' README, steps 1 to 3",
    opt: { name: "gd", lr: 0.02 },
    data: cifar,
    arch: { name: "mlp" },
    steps: 1000,
    ...common,
  },
  "reference-mlp-rmsprop": {
    help: "the authors' README, step 4",
    opt: { name: "rmsprop", lr: 2e-5, ...rmsprop },
    data: cifar,
    arch: { name: "mlp" },
    runs: ["discrete", "central"],
    steps: 500,
    warmStart: 5,
    eig: { frequency: 1, trackThreshold: 1.75 },
  },
  "reference-cnn-gd": {
    help: "the authors' docs/minimal.md",
    opt: { name: "gd", lr: 0.02 },
    data: cifar,
    arch: { name: "cnn" },
    steps: 400,
    ...common,
    eig: { frequency: 1, initialNeigs: 3 },
  },
  "reference-vit-gd": {
    help: "network, data and η of the companion site, part I; the rest after the paper",
    opt: { name: "gd", lr: 0.02 },
    data: cifar,
    arch: { name: "vit" },
    steps: 1000,
    ...common,
  },
  "reference-cnn-scalar-rmsprop": {
    help: "network, data, η and β2 of the companion site, part II; the rest after the paper",
    opt: { name: "scalar-rmsprop", lr: 7.5e-3, ...rmsprop },
    data: cifar,
    arch: { name: "cnn" },
    steps: 1000,
    warmStart: 5,
    ...common,
  },
  "reference-resnet-rmsprop": {
    help: "network, data, η and β2 of the companion site, part III; the rest after the paper",
    opt: { name: "rmsprop", lr: 2e-5, ...rmsprop },
    data: cifar,
    arch: { name: "resnet" },
    steps: 1000,
    warmStart: 5,
    ...common,
  },
  "reference-resnet-gd": {
    help: "after the paper",
    opt: { name: "gd", lr: 0.02 },
    data: cifar,
    arch: { name: "resnet" },
    steps: 1000,
    ...common,
  },
  "reference-lstm-gd": {
    help: "after the paper",
    opt: { name: "gd", lr: 0.2 },
    data: { name: "sorting", n: 1000, criterion: "mse" },
    arch: { name: "lstm" },
    steps: 1000,
    ...common,
  },
  "reference-transformer-gd": {
    help: "after the paper",
    opt: { name: "gd", lr: 0.05 },
    data: { name: "sorting", n: 1000, criterion: "mse" },
    arch: { name: "transformer" },
    steps: 1000,
    ...common,
  },
  "reference-mamba-gd": {
    help: "after the paper, with its 250 examples; eigenvectors in every substep, as the authors advise",
    opt: { name: "gd", lr: 0.05 },
    data: { name: "sorting", n: 250, criterion: "mse" },
    arch: { name: "mamba" },
    steps: 1000,
    ...common,
    central: { frequencyInSubsteps: true },
  },
  "reference-sst2-transformer-rmsprop": {
    help: "after the paper: the authors' code has this data set, its results are not published",
    opt: { name: "rmsprop", lr: 2e-5, ...rmsprop },
    data: { name: "sst2", n: 1000, criterion: "mse" },
    arch: { name: "transformer" },
    steps: 500,
    warmStart: 5,
    ...common,
  },
} satisfies Readonly<Record<string, Preset>>;
