import type { Preset } from "./types.ts";

const rmsprop = { beta2: 0.95, eps: 1e-7, biasCorrection: true } as const;
const mlp = { data: { name: "digits", n: 100 }, arch: { name: "mlp", width: 16 } } as const;
const cnn = { data: { name: "digits", n: 64, classes: 4 }, arch: { name: "cnn", width: 4 } } as const;
const common = {
  runs: ["discrete", "central", "ablated"],
  warmStart: 5,
  eig: { frequency: 1, tol: 1e-7 },
} as const;

/**
 * The experiments behind `central-flows claim`. β2 = 0.95 instead of the 0.99 of other presets: ν forgets in some 20
 * steps, so that a run of 200 shows what happens when it has caught up with the landscape.
 */
export const CLAIM_PRESETS = {
  "claim-mlp-rmsprop": {
    help: "RMSProp on an mlp, for claim",
    opt: { name: "rmsprop", lr: 0.002, ...rmsprop },
    ...mlp,
    ...common,
    steps: 200,
  },
  "claim-mlp-scalar-rmsprop": {
    help: "scalar RMSProp on an mlp, for claim",
    opt: { name: "scalar-rmsprop", lr: 0.1, ...rmsprop },
    ...mlp,
    ...common,
    steps: 200,
  },
  "claim-cnn-rmsprop": {
    help: "RMSProp on a cnn, for claim",
    opt: { name: "rmsprop", lr: 0.002, ...rmsprop },
    ...cnn,
    ...common,
    steps: 150,
  },
  "claim-cnn-scalar-rmsprop": {
    help: "scalar RMSProp on a cnn, for claim",
    opt: { name: "scalar-rmsprop", lr: 0.04, ...rmsprop },
    ...cnn,
    ...common,
    steps: 150,
  },
} satisfies Readonly<Record<string, Preset>>;
