import { spectralNorm } from "../analysis/index.ts";
import type { StudyFigure } from "../report/index.ts";
import {
  drawWeights,
  largestOf,
  largestSlope,
  localNorms,
  lossOf,
  productBound,
  squareNetwork,
  type Wiring,
  weightJacobianNorm,
} from "./problems/networks.ts";
import { builtOf } from "./problems/trained.ts";
import { stopIfAsked, study } from "./study.ts";

/** Where the examples come from; the network of these words is not used. */
const DATA =
  "data:digits --data.n 60 --data.criterion mse arch:mlp --arch.width 4 opt:gd --opt.lr 0.1 --threads 1";
const SIZES = { inputs: 64, width: 16, outputs: 10 };
const WIRINGS = ["plain", "residual", "norm"] as const satisfies readonly Wiring[];

/** What is known of one network at its start. */
interface Measured {
  readonly wiring: Wiring;
  readonly scale: number;
  readonly depth: number;
  readonly local: number;
  readonly bound: number;
  readonly sharpness: number;
}

/** Study `lipschitz`: how far a network stretches its inputs, beside the sharpness of its loss. */
export const lipschitz = study({
  name: "lipschitz",
  title: "Jacobians, Lipschitz constants and sharpness",
  papers: [
    {
      title: "Understanding Optimization of Deep Learning via Jacobian Matrix and Lipschitz Constant",
      arxiv: "2306.09338",
      standing: ["abstract", "derived"],
    },
  ],
  question:
    "How far does a network stretch differences of its inputs at its start, by the scale of its weights, its depth and its wiring, and how does that go with the sharpness of its loss?",
  method:
    "Norms of local Jacobians by Lanczos on JᵀJ, a forward and a backward pass each, against the product of the layers’ norms and the activation’s slope; certified on a deep linear network, whose constant is the norm of a product of matrices. For the squared loss λ_max(G) = σ_max(J)²/N ties the Jacobian in the weights to the Hessian’s Gauss–Newton part; where residuals are zero H = G.",
  criteria: {
    linear: {
      sentence:
        "a deep linear network: local Jacobian norm against σ_max of the product, relative difference",
      bound: { below: 1e-8 },
    },
    plain: {
      sentence: "plain networks: local norm over the product bound, largest of all examples",
      bound: { below: 1 },
    },
    residual: {
      sentence: "residual networks: local norm over the product of 1 + norms, largest of all examples",
      bound: { below: 1 },
    },
    gauss: {
      sentence: "squared loss: λ_max(G) against σ_max(J)²/N, relative difference",
      bound: { below: 1e-7 },
    },
    zero: {
      sentence: "residuals zero: λ_max(H) against λ_max(G), relative difference",
      bound: { below: 1e-7 },
    },
    gelu: { sentence: "largest slope of gelu, distance from 1.128904145", bound: { below: 1e-9 } },
    silu: { sentence: "largest slope of silu, distance from 1.0998393", bound: { below: 5e-8 } },
  },
  unavailable:
    "the body of the survey: only its abstract was read, and none of its experiments are reproduced. LayerNorm has no finite constant, for it stretches without bound where features are alike, and attention has one only locally: neither has a product bound here. A convolution’s norm is not that of its reshaped kernel, and is left out.",
  run(task) {
    const { shouldStop } = task;
    const full = task.size === "full";
    const [scales, depths] = full
      ? [
          [0.5, 1, 2],
          [1, 2, 4, 8],
        ]
      : [[1], [1, 2]];
    const built = builtOf(DATA, shouldStop);
    const examples = built.dataset?.train;
    built.dispose();
    if (!examples) throw new Error("study lipschitz: digits are examples");
    const { inputs } = examples;
    const shown = Array.from({ length: full ? 12 : 3 }, (_, i) =>
      Float64Array.from(inputs.subarray(64 * i, 64 * (i + 1))),
    );

    const deep = squareNetwork("linear", { ...SIZES, depth: 3 });
    const linearWeights = drawWeights(deep, 1, 0);
    const product = productOf(Object.values(deep.parameters), linearWeights);
    const exact = spectralNorm(product, SIZES.outputs, SIZES.inputs);
    const [linear] = localNorms(deep, linearWeights, shown.slice(0, 1));

    const worst = { plain: 0, residual: 0 };
    const found: Measured[] = [];
    for (const wiring of WIRINGS)
      for (const scale of scales)
        for (const depth of depths) {
          stopIfAsked(task);
          task.progress(
            found.length / (3 * scales.length * depths.length),
            `${wiring}, depth ${depth}, scale ${scale}`,
          );
          const network = squareNetwork(wiring, { ...SIZES, depth });
          const weights = drawWeights(network, scale, 1);
          const local = localNorms(network, weights, shown);
          const bound = productBound(network, weights);
          if (wiring !== "norm")
            worst[wiring] = Math.max(worst[wiring], ...local.map((each) => each / bound));
          const objective = lossOf(network, examples, "mse", shouldStop);
          objective.setWeights(weights);
          const sharpness = largestOf(objective, "hessian");
          objective.dispose();
          found.push({ wiring, scale, depth, local: Math.max(...local), bound, sharpness });
        }

    stopIfAsked(task);
    const network = squareNetwork("plain", { ...SIZES, depth: 1 });
    const weights = drawWeights(network, 1, 2);
    const objective = lossOf(network, examples, "mse", shouldStop);
    objective.setWeights(weights);
    const G = largestOf(objective, "gauss-newton");
    const J = weightJacobianNorm(network, weights, Float64Array.from(inputs));
    const labels = objective.outputs().slice();
    objective.dispose();
    const fitted = lossOf(
      network,
      { ...examples, labels, labelShape: [SIZES.outputs] },
      "regression",
      shouldStop,
    );
    fitted.setWeights(weights);
    const zero = largestOf(fitted, "hessian") / largestOf(fitted, "gauss-newton") - 1;
    fitted.dispose();

    const along = (pick: (each: Measured) => number): StudyFigure["curves"] =>
      WIRINGS.flatMap((wiring) => {
        const own = found.filter((each) => each.wiring === wiring && each.scale === 1);
        return { label: wiring, x: own.map(({ depth }) => depth), y: own.map(pick) };
      });
    const axis = { along: "hidden layers", log: true } as const;
    return {
      measured: {
        linear: Math.abs(linear / exact - 1),
        ...worst,
        gauss: Math.abs((G * examples.n) / (J * J) - 1),
        zero: Math.abs(zero),
        gelu: Math.abs(largestSlope("gelu") - 1.128904145),
        silu: Math.abs(largestSlope("silu") - 1.0998393),
      },
      told: found
        .filter(({ depth }) => depth === depths[depths.length - 1])
        .flatMap(({ wiring, scale, depth, local, sharpness }) => [
          { label: `${wiring}, ${depth} hidden layers, scale ${scale}: largest local norm`, value: local },
          {
            label: `${wiring}, ${depth} hidden layers, scale ${scale}: sharpness at the start`,
            value: sharpness,
          },
        ]),
      figures: [
        {
          ...axis,
          id: "local",
          title: "How far inputs are stretched at the start, scale 1",
          caption:
            "The largest local Jacobian norm of some examples: plain networks lose it with depth, residual ones gain it.",
          axis: "‖∂f/∂x‖",
          curves: along(({ local }) => local),
        },
        {
          ...axis,
          id: "sharpness",
          title: "Sharpness at the start, scale 1",
          caption: "The largest eigenvalue of the Hessian of the squared loss of the same networks.",
          axis: "λ_max(H)",
          curves: along(({ sharpness }) => sharpness),
        },
        {
          ...axis,
          id: "bound",
          title: "How loose the product of the layers’ norms is",
          caption: "The local norm over the product bound: the more layers, the less the bound says.",
          axis: "local norm over bound",
          curves: along(({ local, bound }) => local / bound).filter(({ label }) => label !== "norm"),
        },
      ],
    };
  },
});

/** The product of a network's matrices, last layer first. */
function productOf(shapes: readonly (readonly number[])[], weights: Float64Array): Float64Array {
  let from = 0;
  let product = new Float64Array(0);
  const columns = shapes[0][1];
  for (const [rows, inner] of shapes) {
    const W = weights.subarray(from, from + rows * inner);
    from += rows * inner;
    const next = new Float64Array(rows * columns);
    for (let i = 0; i < rows; i++)
      for (let k = 0; k < inner; k++)
        for (let j = 0; j < columns; j++)
          next[i * columns + j] +=
            product.length === 0
              ? k === j
                ? W[i * inner + k]
                : 0
              : W[i * inner + k] * product[k * columns + j];
    product = next;
  }
  return product;
}
