import { Random } from "../base/index.ts";
import { convexQuadraticProgram, differentiateQuadraticProgram } from "../linalg/index.ts";
import { chainScore, implicitDerivative, pathDerivative, quadrature } from "./bilevel/double-well.ts";
import {
  drawRidge,
  expectedOuter,
  langevinRun,
  outerDerivative,
  type Ridge,
  ridgeScore,
  solutionOf,
  stationaryVariance,
} from "./bilevel/ridge.ts";
import { inErrors } from "./statistics/estimate.ts";
import { stopIfAsked, study } from "./study.ts";

const SIZES = {
  full: { problems: 3, draws: 400_000, steps: 1_000_000 },
  small: { problems: 1, draws: 10_000, steps: 20_000 },
} as const;

const DIMENSION = 4;
const LAMBDA = -0.5;
const TEMPERATURES = [0.1, 1] as const;
/** (h/τ)λ_max of the chains: well inside, in the middle, near the edge at 2. */
const STEPS = [0.5, 1, 1.8] as const;
/** The double well's tilt and temperatures; its barrier is ¼. */
const TILT = 0.1;
const WELL_TEMPERATURES = [0.1, 0.2] as const;
/** Half the distance between the points of differences. */
const APART = 1e-5;

const named = (start: number): string => (start < 0 ? `−${-start}` : `${start}`);

/** Study `bilevel`: derivatives through a distribution of inner solutions. */
export const bilevel = study({
  name: "bilevel",
  title: "Bilevel optimization with a distribution of inner solutions",
  papers: [
    {
      title: "Bilevel optimization with a distribution of inner solutions",
      arxiv: "2410.10417",
      standing: ["abstract", "derived"],
    },
  ],
  question:
    "An outer loss is judged at the solution of an inner problem. If the inner solver ends anywhere with probability ∝ exp(−L_T/τ), the outer loss is an expectation: what is its derivative by the inner problem’s parameter λ, and what does the implicit function theorem miss?",
  method:
    "Two estimates: the score, −Cov(L_V, ∂L_T/∂λ)/τ, and the path, the derivative of Langevin steps for fixed noise. On a ridge regression both have closed forms, at a finite step too; on a double well the integral is known by quadrature. Errors are those of batch means, since steps of a chain are correlated.",
  criteria: {
    closed: {
      sentence:
        "closed derivatives of the ridge problem against differences: the largest relative difference",
      bound: { below: 1e-6 },
    },
    implicit: {
      sentence:
        "the limit τ → 0 against the implicit derivative by differentiateQuadraticProgram: the largest relative difference",
      bound: { below: 1e-9 },
    },
    score: {
      sentence:
        "ridge, score against −e^λ[∇L_VᵀA⁻¹θ* + (τ/2)tr(H A⁻²)]: the largest difference in standard errors",
      bound: { below: 3 },
    },
    path: {
      sentence:
        "ridge, path of the Langevin chain against the derivative at its step: the largest difference in standard errors",
      bound: { below: 3.5 },
    },
    variance: {
      sentence:
        "ridge, variances of the chain against τA⁻¹(I − (h/2τ)A)⁻¹: the largest difference in standard errors, over all coordinates",
      bound: { below: 4 },
    },
    well: {
      sentence:
        "double well, score from either start against quadrature: the largest difference in standard errors",
      bound: { below: 3.5 },
    },
    starts: {
      sentence:
        "double well, implicit derivatives from the two starts: their difference over the derivative of the expectation, at the lower temperature",
      bound: { above: 0.1 },
    },
  },
  unavailable:
    "the paper’s body: only its abstract was read, so neither its algorithm nor its experiments are reproduced. What is measured follows from the distribution alone.",
  run(task) {
    const { problems, draws, steps } = SIZES[task.size];
    const ridges = Array.from({ length: problems }, (_, i) =>
      drawRidge(DIMENSION, LAMBDA, new Random(i, "bilevel ridge")),
    );
    let [closed, score, path, variance] = [0, 0, 0, 0];
    ridges.forEach((ridge, i) => {
      const { a } = solutionOf(ridge);
      const largest = Math.max(...a);
      for (const tau of TEMPERATURES) {
        task.progress((0.6 * i) / problems, `ridge problem ${i + 1} of ${problems}, temperature ${tau}`);
        stopIfAsked(task);
        const exact = outerDerivative(ridge, tau);
        const random = new Random(i, `bilevel score ${tau}`);
        score = Math.max(score, inErrors(ridgeScore(ridge, tau, draws, random), exact));
        for (const share of STEPS) {
          const h = (share * tau) / largest;
          closed = Math.max(closed, closedDifference(ridge, tau, h), closedDifference(ridge, tau, 0));
          const run = langevinRun(
            ridge,
            tau,
            h,
            steps,
            new Random(i, `bilevel ${tau} ${share}`),
            task.shouldStop,
          );
          path = Math.max(path, inErrors(run.path, outerDerivative(ridge, tau, h)));
          run.variances.forEach((found, j) => {
            variance = Math.max(variance, inErrors(found, stationaryVariance(a[j], tau, h)));
          });
        }
      }
    });
    const wells = WELL_TEMPERATURES.flatMap((tau, i) =>
      [1, -1].map((start) => {
        task.progress(0.6 + 0.2 * i, `double well, temperature ${tau}, from ${named(start)}`);
        const score = chainScore(
          TILT,
          tau,
          0.1,
          start,
          steps,
          new Random(1, `bilevel well ${tau} ${start}`),
          task.shouldStop,
        );
        const path = pathDerivative(
          TILT,
          tau,
          0.1 * tau,
          start,
          steps,
          new Random(1, `bilevel path ${tau} ${start}`),
          task.shouldStop,
        );
        return { tau, start, score, path, exact: quadrature(TILT, tau).derivative };
      }),
    );
    const implicit = [1, -1].map((start) => implicitDerivative(TILT, start).derivative);
    const temperatures = Array.from({ length: 60 }, (_, i) => 0.02 + i / 100);
    const shares = Array.from({ length: 97 }, (_, i) => 0.02 + i / 49.5);
    const first = solutionOf(ridges[0]).a;
    return {
      measured: {
        closed,
        implicit: Math.max(...ridges.map(implicitDifference)),
        score,
        path,
        variance,
        well: Math.max(...wells.map((well) => inErrors(well.score, well.exact))),
        starts:
          Math.abs(implicit[0] - implicit[1]) / Math.abs(quadrature(TILT, WELL_TEMPERATURES[0]).derivative),
      },
      told: [
        { label: "double well, implicit derivative from the right", value: implicit[0] },
        { label: "double well, implicit derivative from the left", value: implicit[1] },
        ...wells.flatMap(({ tau, start, score, path, exact }) => {
          const where = `double well, τ = ${tau}, from ${named(start)}`;
          return [
            { label: `${where}: quadrature`, value: exact },
            { label: `${where}: score`, value: score.mean },
            { label: `${where}: its error`, value: score.error },
            { label: `${where}: path`, value: path.mean },
            { label: `${where}: its error by batch means`, value: path.error },
            { label: `${where}: largest |J| of the path`, value: path.largest },
          ];
        }),
      ],
      remarks: [
        "The path is not judged on the double well: between the wells the curvature is negative and J grows there, so that its mean is carried by rare, huge values, and batch means tell neither it nor its error. The score needs no J.",
        "A Langevin chain has an edge of stability of its own: its variance is infinite where the step times the largest curvature over the temperature reaches 2.",
      ],
      figures: [
        {
          id: "well",
          title: "What the implicit derivative misses",
          caption:
            "Derivative of the expected outer loss of the double well by the tilt. Moving probability from one well to the other counts most; the implicit derivatives know one well each, and which one depends on the start.",
          along: "temperature τ",
          axis: "dV/dλ",
          curves: [
            {
              label: "quadrature",
              x: temperatures,
              y: temperatures.map((tau) => quadrature(TILT, tau).derivative),
            },
            ...[1, -1].map((start) => ({
              label: `score, from ${named(start)}`,
              x: [...WELL_TEMPERATURES],
              y: wells.filter((well) => well.start === start).map(({ score }) => score.mean),
            })),
            { label: "implicit, from 1", x: temperatures, y: temperatures.map(() => implicit[0]) },
            { label: "implicit, from −1", x: temperatures, y: temperatures.map(() => implicit[1]) },
          ],
        },
        {
          id: "edge",
          title: "The chain’s own edge",
          caption:
            "Variance of the Langevin chain along the sharpest direction of a ridge problem over that of the continuous process, by its step. At 2 it is infinite, as for gradient descent.",
          along: "(h/τ)λ_max",
          axis: "variance over τ/λ_max",
          log: true,
          curves: [
            {
              label: "1/(1 − (h/2τ)λ_max)",
              x: shares,
              y: shares.map((share) => {
                const largest = Math.max(...first);
                return (stationaryVariance(largest, 1, share / largest) * largest) / 1;
              }),
            },
          ],
        },
      ],
    };
  },
});

/** The closed derivative against differences of the closed expectation. */
function closedDifference(ridge: Ridge, tau: number, h: number): number {
  const at = (by: number) => expectedOuter({ ...ridge, lambda: ridge.lambda + by }, tau, h);
  const exact = outerDerivative(ridge, tau, h);
  return Math.abs((at(APART) - at(-APART)) / (2 * APART) - exact) / Math.max(1, Math.abs(exact));
}

/** The closed derivative at τ = 0 against ∇L_V times the derivative of the inner program's solution by λ. */
function implicitDifference(ridge: Ridge): number {
  const d = ridge.b.length;
  const { weight, a, gradient } = solutionOf(ridge);
  const [Q, dQ] = [new Float64Array(d * d), new Float64Array(d * d)];
  for (let i = 0; i < d; i++) {
    Q[i * (d + 1)] = a[i];
    dQ[i * (d + 1)] = weight;
  }
  const program = { Q, c: ridge.b.map((entry) => -entry) };
  const { value } = differentiateQuadraticProgram(program, convexQuadraticProgram(program).value);
  if (!value) return Number.NaN;
  const implicit = value.apply({ Q: dQ }).x.reduce((sum, entry, i) => sum + entry * gradient[i], 0);
  return Math.abs(implicit / outerDerivative(ridge, 0) - 1);
}
