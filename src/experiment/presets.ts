import type { Preset } from "./preset-types.ts";

export const SMALL_PRESETS = {
  "mlp-digits": {
    help: "gradient descent, one to two eigenvalues at the edge from step 40",
    opt: { name: "gd", lr: 0.2 },
    data: { name: "digits", n: 100 },
    arch: { name: "mlp", width: 16 },
    steps: 200,
    eig: { frequency: 1, tol: 1e-7 },
  },
} satisfies Readonly<Record<string, Preset>>;
