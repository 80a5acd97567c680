import { Random } from "../base/index.ts";
import {
  convexQuadraticProgram,
  differentiateQuadraticProgram,
  differentiateSdcp,
  type QuadraticProgram,
  sdcp,
} from "../linalg/index.ts";
import {
  backwardSteps,
  contraction,
  descend,
  descentStep,
  drawSineProgram,
  folded,
  foldedDerivative,
  type SineProgram,
  sequentialDerivative,
} from "./folding/descent.ts";
import { limitOf, type ScalarDescent, unrolledDerivatives, unrolledError } from "./folding/unrolled.ts";
import { type StudyTask, stopIfAsked, study } from "./study.ts";

/** How many random problems of each kind. */
const SIZES = {
  full: { programs: 40, simplices: 40, complementarity: 200, descents: 30 },
  small: { programs: 3, simplices: 4, complementarity: 10, descents: 2 },
} as const;

/** Variables, inequalities and equalities of the papers' setting. */
const VARIABLES = 8;
const INEQUALITIES = 6;
const EQUALITIES = 2;
/** Step sizes of projected descent, and the most steps to its fixed point. */
const RATES = [0.15, 0.3, 0.6] as const;
const MOST_STEPS = 3000;
/** Half the distance between the points of differences: the error is its square times a third derivative. */
const APART = 1e-5;
/** Unrolled steps whose Jacobian is compared, and backward steps that are watched. */
const UNROLLED = 12;
const BACKWARD = 60;

/** Study `folding`: derivatives through solvers, unrolled and at the fixed point. */
export const folding = study({
  name: "folding",
  title: "The backward pass of unrolled optimization",
  papers: [
    {
      title: "Analyzing and Enhancing the Backward-Pass Convergence of Unrolled Optimization",
      arxiv: "2312.17394",
      standing: ["code", "derived"],
    },
    {
      title: "Backpropagation of Unrolled Solvers with Folded Optimization",
      arxiv: "2301.12047",
      standing: ["code", "derived"],
    },
  ],
  question:
    "A solver inside a model has to be differentiated. Unrolling its steps x ← U(x, c) works, but what does its backward pass compute? At the fixed point, with Φ = ∂U/∂x and Ψ = ∂U/∂c, it is the linear system (I − Φᵀ)v = g solved by the plainest iteration, whose rate is the spectral radius ρ(Φ); “folding” solves that system by something better.",
  method:
    "min ½yᵀQy + pᵀsin y under linear constraints, 8 variables, by projected gradient descent; the projection and its derivative are our certified quadratic program and differentiateQuadraticProgram. Against differences of what is solved again, against one step of sequential quadratic programming, and against closed forms: the simplex, one dimension, complementarity of order one.",
  criteria: {
    program: {
      sentence:
        "derivative of a quadratic program with active rows against differences of the certified solution: the largest relative difference",
      bound: { below: 1e-6 },
    },
    adjoint: {
      sentence: "its transpose against the derivative, ⟨x̄, J d⟩ = ⟨Jᵀx̄, d⟩: the largest relative difference",
      bound: { below: 1e-11 },
    },
    simplex: {
      sentence:
        "derivative of the projection on the simplex against diag(s) − ssᵀ/Σs: the largest difference",
      bound: { below: 1e-11 },
    },
    complementarity: {
      sentence:
        "complementarity of order one against X = max(0, −a/b), dX = −(da + X db)/b: the largest relative difference",
      bound: { below: 1e-10 },
    },
    bump: {
      sentence:
        "unrolled derivative of gradient descent on a parabola against −ρᵗJ* + tρᵗ⁻¹(−γh′)(x₀ − x*): the largest difference, relative to J*",
      bound: { below: 1e-11 },
    },
    folded: {
      sentence:
        "folded derivative of projected descent against differences of its fixed point: the largest relative difference",
      bound: { below: 1e-5 },
    },
    sequential: {
      sentence:
        "folded derivative of projected descent against that of a sequential quadratic program: the largest relative difference",
      bound: { below: 1e-8 },
    },
    unrolled: {
      sentence: `differences of ${UNROLLED} unrolled steps from the fixed point against Σ ΦᵏΨ: the largest relative difference`,
      bound: { below: 1e-5 },
    },
    contraction: {
      sentence:
        "contraction of unrolling’s backward pass against ρ(Φ) of the eigen decomposition: the largest difference",
      bound: { below: 1e-4 },
    },
  },
  unavailable:
    "the papers’ text; their setting and formulas are known from their code. Their learning tasks (portfolios, power flow, denoising) are not repeated. For systems too large for a direct solution the iteration has to be one for matrices that are not symmetric (GMRES, not conjugate gradients): Φ is not.",
  run(task) {
    const sizes = SIZES[task.size];
    const program = checkedPrograms(task, sizes.programs);
    const simplex = checkedSimplices(task, sizes.simplices);
    const complementarity = checkedComplementarity(sizes.complementarity);
    const descents = checkedDescents(task, sizes.descents);
    const parabola: ScalarDescent = {
      curvature: 2,
      curvatureSlope: 1,
      force: 1,
      forceSlope: 0.3,
      rate: 0.05,
      start: 6,
    };
    const times = Array.from({ length: 121 }, (_, t) => t);
    const limit = limitOf(parabola);
    const settled = { ...parabola, start: limit.x };
    const errorsOf = (descent: ScalarDescent) =>
      unrolledDerivatives(descent, 120).map((derivative) => derivative - limit.derivative);
    const bump = Math.max(
      ...[parabola, settled, { ...parabola, rate: 0.9 }].map((descent) =>
        Math.max(
          ...errorsOf(descent).map(
            (error, t) => Math.abs(error - unrolledError(descent, t)) / Math.abs(limit.derivative),
          ),
        ),
      ),
    );
    const slow = descents.watched;
    return {
      measured: { ...program, simplex, complementarity, bump, ...descents.measured },
      told: [
        { label: "problems whose descent found a fixed point with a derivative", value: descents.solved },
        { label: "problems and rates that were tried", value: descents.tried },
        { label: "least margin of strict complementarity among them", value: descents.margin },
        { label: "largest ρ(Φ)", value: descents.radius },
      ],
      remarks: [
        "Where a constraint is active without a force, there is no derivative: such problems are refused with their margin, not smoothed over.",
      ],
      figures: [
        {
          id: "bump",
          title: "Unrolling’s derivative first becomes worse",
          caption:
            "Gradient descent on a parabola whose curvature depends on the parameter. From far away the error of the derivative grows as tρᵗ before it falls; from the fixed point it falls at once.",
          along: "steps",
          axis: "|J_t − J*|",
          log: true,
          curves: [
            { label: "unrolled from x₀", x: times, y: errorsOf(parabola).map(Math.abs) },
            {
              label: "closed form",
              x: times,
              y: times.map((t) => Math.abs(unrolledError(parabola, t))),
            },
            { label: "unrolled from x*", x: times, y: errorsOf(settled).map(Math.abs) },
          ],
        },
        {
          id: "backward",
          title: "The backward pass is a slow linear solver",
          caption:
            "Lengths of the steps of v ← Φᵀv + g for three step sizes of the solver, and ρ(Φ)ᵗ on the scale of each. Folding solves the same system at once.",
          along: "backward steps",
          axis: "length of the step",
          log: true,
          curves: slow.flatMap(({ rate, lengths, radius }) => {
            const x = lengths.map((_, t) => t + 1);
            const last = lengths.length - 1;
            return [
              { label: `step size ${rate}`, x, y: lengths },
              {
                label: `ρ(Φ)ᵗ, ${rate}`,
                x,
                y: falling(lengths[last], radius, last),
              },
            ];
          }),
        },
      ],
    };
  },
});

/** A geometric sequence that ends at a value. */
function falling(end: number, ratio: number, steps: number): number[] {
  const values = [end];
  for (let t = 0; t < steps; t++) values.unshift(values[0] / ratio);
  return values;
}

const largest = (values: Iterable<number>): number => {
  let most = 0;
  for (const value of values) most = Math.abs(value) <= most ? most : Math.abs(value);
  return most;
};

/** Derivatives of random programs against differences, and against their own transpose. */
function checkedPrograms(task: StudyTask, count: number) {
  const random = new Random(1, "folding programs");
  const normals = (length: number) => random.fillNormal(new Float64Array(length));
  const [n, p, q] = [VARIABLES, INEQUALITIES, EQUALITIES];
  let [program, adjoint] = [0, 0];
  for (let made = 0; made < count; made++) {
    task.progress((0.3 * made) / count, "quadratic programs");
    stopIfAsked(task);
    const root = normals(n * n);
    const Q = new Float64Array(n * n);
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++)
        for (let k = 0; k < n; k++) Q[i * n + j] += root[k * n + i] * root[k * n + j];
    for (let i = 0; i < n; i++) Q[i * (n + 1)] += 0.1;
    const given = { Q, c: normals(n), A: normals(p * n), b: normals(p), E: normals(q * n), f: normals(q) };
    const { value } = differentiateQuadraticProgram(given, convexQuadraticProgram(given).value);
    if (!value) continue;
    const change = {
      Q: symmetric(normals(n * n), n),
      c: normals(n),
      A: normals(p * n),
      b: normals(p),
      E: normals(q * n),
      f: normals(q),
    };
    const moved = (distance: number): Float64Array => {
      const sum: Record<string, Float64Array> = {};
      for (const key of ["Q", "c", "A", "b", "E", "f"] as const)
        sum[key] = given[key].map((entry, at) => entry + distance * change[key][at]);
      return convexQuadraticProgram(sum as unknown as QuadraticProgram).value.x;
    };
    const [plus, minus] = [moved(APART), moved(-APART)];
    const along = value.apply(change).x;
    const size = largest(along);
    program = Math.max(
      program,
      largest(along.map((each, i) => each - (plus[i] - minus[i]) / (2 * APART))) / size,
    );
    const cotangent = normals(n);
    const back = value.transpose({ x: cotangent });
    let [left, right, scale] = [0, 0, 0];
    along.forEach((each, i) => {
      left += each * cotangent[i];
      scale += Math.abs(each * cotangent[i]);
    });
    for (const key of ["Q", "c", "A", "b", "E", "f"] as const)
      back[key].forEach((each, at) => {
        right += each * change[key][at];
        scale += Math.abs(each * change[key][at]);
      });
    adjoint = Math.max(adjoint, Math.abs(left - right) / scale);
  }
  return { program, adjoint };
}

function symmetric(a: Float64Array, n: number): Float64Array {
  return a.map((entry, at) => 0.5 * (entry + a[(at % n) * n + Math.floor(at / n)]));
}

/** The projection on {y ≥ 0, Σy = 1}: s marks its positive entries. */
function checkedSimplices(task: StudyTask, count: number): number {
  const random = new Random(1, "folding simplex");
  let worst = 0;
  for (let made = 0; made < count; made++) {
    task.progress(0.3 + (0.1 * made) / count, "simplices");
    stopIfAsked(task);
    const n = 3 + (made % 6);
    const Q = new Float64Array(n * n);
    for (let i = 0; i < n; i++) Q[i * (n + 1)] = 1;
    const point = random.fillNormal(new Float64Array(n));
    const program = {
      Q,
      c: point.map((entry) => -entry),
      A: Q,
      b: new Float64Array(n),
      E: new Float64Array(n).fill(1),
      f: Float64Array.of(1),
    };
    const { value: solution } = convexQuadraticProgram(program);
    const { value } = differentiateQuadraticProgram(program, solution);
    if (!value) continue;
    const s = solution.x.map((entry) => (entry > 1e-9 ? 1 : 0));
    const total = s.reduce((sum, entry) => sum + entry, 0);
    for (let j = 0; j < n; j++) {
      const c = new Float64Array(n);
      c[j] = -1;
      const column = value.apply({ c }).x;
      worst = Math.max(
        worst,
        largest(column.map((each, i) => each - ((i === j ? s[i] : 0) - (s[i] * s[j]) / total))),
      );
    }
  }
  return worst;
}

/** X = max(0, −a/b) and its derivative. */
function checkedComplementarity(count: number): number {
  const random = new Random(1, "folding complementarity");
  let worst = 0;
  for (let made = 0; made < count; made++) {
    const [a, b] = [Float64Array.of(random.normal()), Float64Array.of(0.1 + random.uniform())];
    const expected = Math.max(0, -a[0] / b[0]);
    const { value: solution } = sdcp(1, a, b);
    const { value } = differentiateSdcp(1, a, b, solution.X);
    if (!value) continue;
    const [da, db] = [random.normal(), random.normal()];
    const along = value.apply(Float64Array.of(da), Float64Array.of(db))[0];
    const slope = expected > 0 ? -(da + expected * db) / b[0] : 0;
    const scale = Math.max(1, expected);
    worst = Math.max(
      worst,
      Math.abs(solution.X[0] - expected) / scale,
      Math.abs(along - slope) / (scale * scale),
    );
  }
  return worst;
}

/** Projected descent on the papers' problem: folded derivatives, unrolled ones, and the backward pass. */
function checkedDescents(task: StudyTask, count: number) {
  const n = VARIABLES;
  const start = new Float64Array(n);
  const measured = { folded: 0, sequential: 0, unrolled: 0, contraction: 0 };
  const watched: { readonly rate: number; readonly lengths: readonly number[]; readonly radius: number }[] =
    [];
  let [solved, radius, margin] = [0, 0, Number.POSITIVE_INFINITY];
  for (let made = 0; made < count; made++) {
    const random = new Random(made, "folding descent");
    const program = drawSineProgram(n, INEQUALITIES, EQUALITIES, random);
    const direction = random.fillNormal(new Float64Array(n));
    const g = random.fillNormal(new Float64Array(n));
    for (const rate of RATES) {
      task.progress(0.4 + (0.6 * made) / count, `projected descent, problem ${made + 1} of ${count}`);
      stopIfAsked(task);
      const { y, converged } = descend(program, start, rate, MOST_STEPS);
      const system = converged ? folded(program, y, rate) : undefined;
      if (!system) continue;
      solved++;
      radius = Math.max(radius, system.radius);
      margin = Math.min(margin, system.margin);
      const J = foldedDerivative(system, n);
      const sequential = sequentialDerivative(program, y);
      const size = largest(J);
      measured.sequential = sequential
        ? Math.max(measured.sequential, largest(J.map((each, at) => each - sequential[at])) / size)
        : Number.NaN;
      const moved = (distance: number): SineProgram => ({
        ...program,
        p: program.p.map((entry, i) => entry + distance * direction[i]),
      });
      const [plus, minus] = [APART, -APART].map((distance) => {
        const changed = moved(distance);
        let x = y;
        for (let t = 0; t < UNROLLED; t++) x = descentStep(changed, x, rate).x;
        return { unrolled: x, limit: descend(changed, x, rate, MOST_STEPS).y };
      });
      const compare = (expected: Float64Array, key: "unrolled" | "limit"): number =>
        largest(expected.map((each, i) => each - (plus[key][i] - minus[key][i]) / (2 * APART))) /
        largest(expected);
      measured.folded = Math.max(measured.folded, compare(times(J, direction, n), "limit"));
      const force = times(system.psi, direction, n);
      let sum = new Float64Array(n);
      for (let t = 0; t < UNROLLED; t++) sum = times(system.phi, sum, n).map((each, i) => each + force[i]);
      measured.unrolled = Math.max(measured.unrolled, compare(sum, "unrolled"));
      const lengths = backwardSteps(system, n, g, BACKWARD);
      const shrinking = contraction(system, n, g, MOST_STEPS);
      measured.contraction = Math.max(measured.contraction, Math.abs(shrinking - system.radius));
      if (made === 0) watched.push({ rate, lengths, radius: system.radius });
    }
  }
  return { measured, watched, solved, tried: count * RATES.length, radius, margin };
}

function times(matrix: Float64Array, vector: Float64Array, n: number): Float64Array<ArrayBuffer> {
  const product = new Float64Array(n);
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) product[i] += matrix[i * n + j] * vector[j];
  return product;
}
