import { spectralNorm } from "../../analysis/index.ts";
import { add, compile, jvp, Objective, reshape, type Shape, type Tensor, vjp } from "../../autodiff/index.ts";
import { Random, type ShouldStop } from "../../base/index.ts";
import { lanczos } from "../../linalg/index.ts";
import { ACTIVATIONS, type LabelledExamples, layerNorm, linear, supervisedLoss } from "../../models/index.ts";

type Parts = Readonly<Record<string, Tensor>>;

/** How the layers of a square network follow one another. */
export type Wiring = "linear" | "plain" | "residual" | "norm";

/** A network of square hidden layers without biases, whose bounds are known layer by layer. */
export interface SquareNetwork {
  readonly wiring: Wiring;
  readonly inputs: number;
  readonly width: number;
  readonly depth: number;
  readonly outputs: number;
  readonly parameters: Readonly<Record<string, Shape>>;
  readonly forward: (parameters: Parts, x: Tensor) => Tensor;
}

/**
 * x ↦ in, then `depth` hidden layers, then out, each a matrix; hidden ones h ← a(Wh), residual h ← h + a(Wh), with norm
 * h ← a(W LayerNorm(h)), linear h ← Wh; a is gelu.
 */
export function squareNetwork(
  wiring: Wiring,
  { inputs, width, depth, outputs }: Pick<SquareNetwork, "inputs" | "width" | "depth" | "outputs">,
): SquareNetwork {
  const parameters: Record<string, Shape> = { in: [width, inputs] };
  for (let layer = 0; layer < depth; layer++) parameters[`hidden${layer}`] = [width, width];
  parameters.out = [outputs, width];
  return {
    wiring,
    inputs,
    width,
    depth,
    outputs,
    parameters,
    forward(p, x) {
      let h = linear(reshape(x, [-1, inputs]), p.in);
      for (let layer = 0; layer < depth; layer++) {
        const W = p[`hidden${layer}`];
        if (wiring === "linear") h = linear(h, W);
        else if (wiring === "norm") h = ACTIVATIONS.gelu(linear(layerNorm(h), W));
        else {
          const image = ACTIVATIONS.gelu(linear(h, W));
          h = wiring === "residual" ? add(h, image) : image;
        }
      }
      return linear(h, p.out);
    },
  };
}

/** Normal weights of variance scale²/fan-in. */
export function drawWeights({ parameters }: SquareNetwork, scale: number, seed: number): Float64Array {
  const random = new Random(seed, "study lipschitz");
  return Float64Array.from(
    Object.values(parameters).flatMap(([rows, columns]) =>
      Array.from({ length: rows * columns }, () => (scale / Math.sqrt(columns)) * random.normal()),
    ),
  );
}

const partsOf = ({ parameters }: SquareNetwork, weights: Float64Array): Float64Array[] => {
  let from = 0;
  return Object.values(parameters).map(([rows, columns]) => {
    from += rows * columns;
    return weights.subarray(from - rows * columns, from);
  });
};

/** The largest Lipschitz constant of gelu: its slope at √2, ½(1 + erf 1) + e⁻¹/√π. */
export const GELU = 1.128904145;

/** What the norms of the layers alone say of a network's Lipschitz constant; infinite with norm layers, which are unbounded where features are alike. */
export function productBound(network: SquareNetwork, weights: Float64Array): number {
  const { wiring, parameters } = network;
  if (wiring === "norm") return Number.POSITIVE_INFINITY;
  const shapes = Object.values(parameters);
  return partsOf(network, weights).reduce((bound, part, i) => {
    const norm = spectralNorm(part, shapes[i][0], shapes[i][1]);
    const hidden = i > 0 && i < shapes.length - 1;
    if (!hidden || wiring === "linear") return bound * norm;
    return bound * (wiring === "residual" ? 1 + GELU * norm : GELU * norm);
  }, 1);
}

/** σ_max of a linear map by Lanczos on JᵀJ. @param gram out = JᵀJ v */
function largestSingularValue(n: number, gram: (v: Float64Array, out: Float64Array) => void): number {
  const { value } = lanczos(
    n,
    (vectors, products, count) => {
      for (let i = 0; i < count; i++)
        gram(vectors.slice(i * n, (i + 1) * n), products.subarray(i * n, (i + 1) * n));
    },
    { largest: 1, smallest: 0, tolerance: 1e-10, maxIterations: 400, random: new Random(0, "Jacobian") },
  );
  return Math.sqrt(Math.max(0, value.values[0]));
}

/** ‖∂f/∂x‖ at each of some inputs: JᵀJ by a forward and a backward pass, no matrix. */
export function localNorms(
  network: SquareNetwork,
  weights: Float64Array,
  inputs: readonly Float64Array[],
): number[] {
  const { inputs: d, parameters, forward } = network;
  const f = (x: Tensor, p: Parts): Tensor => forward(p, x);
  const gram = compile(
    (x: Tensor, v: Tensor, p: Parts): Tensor => {
      const image = jvp<Tensor, [Parts], Tensor>(f)(x, v, p)[1];
      return vjp<Tensor, [Parts], Tensor>(f)(x, image, p)[1];
    },
    [[1, d], [1, d], parameters],
  );
  const parts = partsOf(network, weights);
  return inputs.map((x) => largestSingularValue(d, (v, out) => gram.run([x, v, ...parts], [out])));
}

/** ‖∂f/∂w‖, f all outputs on all examples. */
export function weightJacobianNorm(
  network: SquareNetwork,
  weights: Float64Array,
  inputs: Float64Array,
): number {
  const { inputs: d, parameters, forward } = network;
  const f = (p: Record<string, Tensor>, x: Tensor): Tensor => forward(p, x);
  const rows = inputs.length / d;
  const gram = compile(
    (p: Parts, v: Parts, x: Tensor): Parts => {
      const image = jvp<Record<string, Tensor>, [Tensor], Tensor>(f)(p, v, x)[1];
      return vjp<Record<string, Tensor>, [Tensor], Tensor>(f)(p, image, x)[1];
    },
    [parameters, parameters, [rows, d]],
  );
  const parts = partsOf(network, weights);
  return largestSingularValue(weights.length, (v, out) =>
    gram.run([...parts, ...partsOf(network, v), inputs], partsOf(network, out)),
  );
}

/** The loss of a network on examples. @param labels numbers to fit in place of classes */
export function lossOf(
  network: SquareNetwork,
  examples: LabelledExamples,
  criterion: "mse" | "regression",
  shouldStop: ShouldStop,
): Objective {
  const { parameters, forward } = network;
  const model = {
    name: network.wiring,
    parameters,
    forward,
    initialWeights: () => drawWeights(network, 1, 0),
  };
  return new Objective(supervisedLoss(model, criterion, examples), { shouldStop });
}

/** λ_max of H, or of its Gauss–Newton part, at the objective's weights. */
export function largestOf(objective: Objective, matrix: "hessian" | "gauss-newton"): number {
  const { value } = lanczos(
    objective.dimension,
    (vectors, products, count) =>
      matrix === "hessian"
        ? objective.hvp(vectors, products, count)
        : objective.gaussNewton(vectors, products, count),
    { largest: 1, smallest: 0, tolerance: 1e-9, maxIterations: 1000, random: new Random(0, matrix) },
  );
  return value.values[0];
}

/** The largest slope of an activation on [0, 8], where gelu's and silu's lie, by derivatives on ever finer grids. */
export function largestSlope(name: "gelu" | "silu"): number {
  const points = 1001;
  const slopes = compile(
    (x: Tensor, v: Tensor): Tensor => jvp<Tensor, [], Tensor>(ACTIVATIONS[name])(x, v)[1],
    [[points], [points]],
  );
  const out = new Float64Array(points);
  const ones = new Float64Array(points).fill(1);
  let [from, to] = [0, 8];
  for (let zoom = 0; zoom < 5; zoom++) {
    const x = Float64Array.from({ length: points }, (_, i) => from + ((to - from) * i) / (points - 1));
    slopes.run([x, ones], [out]);
    const best = out.reduce((at, slope, i) => (slope > out[at] ? i : at), 0);
    [from, to] = [x[Math.max(0, best - 1)], x[Math.min(points - 1, best + 1)]];
  }
  return Math.max(...out);
}
