import type { StudyFigure } from "../report/index.ts";
import {
  adaGradFlow,
  adaGradIterates,
  adamCrossover,
  adamRate,
  angleOf,
  conservedOf,
  type DescentState,
  marginAngle,
  metricOf,
  ONE_POINT,
  onePointRoot,
  supMargin,
  TWO_POINTS,
} from "./problems/separable.ts";
import { stopIfAsked, study } from "./study.ts";

/** Times at which the flows' angles are looked at: the last two are a factor 2 apart, where 1/τ halves. */
const LOOKS = (last: number): number[] => [
  ...Array.from({ length: 60 }, (_, i) => last * 10 ** ((i - 60) / 10)).filter(
    (time) => time > 0.03 && time < last / 2.01,
  ),
  last / 2,
  last,
];

/** How far the last two angles are from a limit: their ratio is 2 where the distance falls as 1/τ. */
function halving(angles: readonly number[], limit: number): number {
  const [before, last] = angles.slice(-2);
  return (before - limit) / (last - limit);
}

/** Study `margin`: in which direction adaptive rules end on separable data. */
export const margin = study({
  name: "margin",
  title: "The direction in which adaptive rules end",
  papers: [
    {
      title: "The Implicit Bias for Adaptive Optimization Algorithms on Homogeneous Neural Networks",
      arxiv: "2012.06244",
      standing: ["second-hand", "derived"],
    },
  ],
  question:
    "On separable data the loss goes to 0 and the weights to infinity; in which direction? Of the L2 margin for RMSProp and Adam, whose ε is left when gradients vanish, and of the margin in AdaGrad’s own metric, ½ Σ w_i²/h_i with h the limit of 1/√(ε + s).",
  method:
    "Linear classifiers with exponential loss, small enough to be certain of: margins by the certified quadratic program; AdaGrad’s flow in the time ∫ L dt and with the logarithm of the loss, held against the quantity that it conserves, L + 2η Σ √(ε + s_i); Adam, the rule of this program, until its ε takes over, then the flow of what is left. Directions converge as slowly as 1/log t: what is shown is on the way.",
  criteria: {
    conserved: {
      sentence: "L + 2η Σ √(ε + s_i) along AdaGrad’s flows: largest relative change",
      bound: { below: 1e-8 },
    },
    root: {
      sentence:
        "one point: ∫ L² dt of the flow against the root of the conserved quantity, relative difference",
      bound: { below: 1e-8 },
    },
    kkt: {
      sentence:
        "one point: direction of the flow’s last 1/√(ε + s)⊙x against the quadratic program’s, in degrees",
      bound: { below: 1e-6 },
    },
    certificate: {
      sentence: "two points: L2 margin’s direction by the quadratic program against the bisector, 15.75°",
      bound: { below: 1e-9 },
    },
    adagrad: {
      sentence:
        "two points: distance of the flow’s direction from the margin’s in its own metric, ratio when ∫ L dt doubles (2 for 1/log t)",
      bound: { between: [1.9, 2.1] },
    },
    apart: {
      sentence:
        "two points: distance of the flow’s last direction from the L2 margin’s over that from its own metric’s",
      bound: { above: 10 },
    },
    first: {
      sentence: "Adam where √ν̂ is a thousand times ε: distance from L∞’s 45° over that from the L2 margin’s",
      bound: { below: 0.2 },
    },
    crossover: {
      sentence: "Adam: the step at which √ν̂ falls below ε, predicted over measured",
      bound: { between: [0.98, 1.02] },
    },
    adam: {
      sentence:
        "Adam long after: distance of its direction from the L2 margin’s over that where √ν̂ is a thousand times ε",
      bound: { below: 0.05 },
    },
  },
  unavailable:
    "the paper’s body: its theorems are known to us second-hand, and its experiments on networks are not reproduced. The theorem says where directions end; no run gets there, since log t grows too slowly.",
  run(task) {
    const { shouldStop, size } = task;
    const stop = (): void => stopIfAsked(task);
    const full = size === "full";
    task.progress(0, "AdaGrad on one point");
    stop();
    const single = adaGradFlow(ONE_POINT, [100], stop)[0];
    const root = onePointRoot(ONE_POINT);
    const S = single.s[0] / ONE_POINT.points[0][0] ** 2;
    const metric = metricOf(ONE_POINT, single);
    const ahead = ONE_POINT.points[0].map((x, i) => metric[i] * x);

    task.progress(0.1, "AdaGrad’s flow on two points");
    const flow = adaGradFlow(TWO_POINTS, LOOKS(20_000), stop);
    const end = flow[flow.length - 1];
    const h = metricOf(TWO_POINTS, end);
    const [euclidean, adaptive] = [marginAngle(TWO_POINTS), marginAngle(TWO_POINTS, h)];
    const angles = flow.map(({ w }) => angleOf(w));
    const last = angles[angles.length - 1];

    task.progress(0.2, "AdaGrad’s iteration");
    const iterates = adaGradIterates(TWO_POINTS, full ? 400_000 : 4000, shouldStop);
    const iterated = iterates[iterates.length - 1];

    const cases = (full ? [0.99, 0.999] : [0.99]).map((beta2, i) => {
      task.progress(0.5 + i / 4, `Adam with β2 = ${beta2}`);
      const settings = { lr: 0.012 / supMargin(TWO_POINTS), beta1: 0.9, beta2, epsilon: 1e-8 };
      return { beta2, found: adamCrossover(TWO_POINTS, settings, LOOKS(20_000), shouldStop) };
    });
    const worst = (values: readonly number[], aim: number): number =>
      values.reduce((far, each) => (Math.abs(each - aim) > Math.abs(far - aim) ? each : far), aim);
    const figures: StudyFigure[] = [
      {
        id: "angles",
        title: "Directions on the way, and where they lead",
        caption:
          "Two points at 22.5° and 9°. Adam goes to L∞’s 45° while √ν̂ ≫ ε, then turns to L2’s 15.75°; AdaGrad goes to the margin of its own metric. What is left of the way shrinks as 1/log t.",
        along: "log10 of the number of steps",
        axis: "angle of the weights, degrees",
        level: { value: euclidean, label: "L2 margin" },
        curves: [
          ...cases.map(({ beta2, found: { path, after } }) => ({
            label: `Adam, β2 = ${beta2}`,
            x: [...path.map(({ step }) => Math.log10(step)), ...shown(after).map(({ logTime }) => logTime)],
            y: [...path.map(({ angle }) => angle), ...shown(after).map(({ angle }) => angle)],
          })),
          {
            label: "AdaGrad, its iteration",
            x: iterates.map(({ step }) => Math.log10(step)),
            y: iterates.map(({ angle }) => angle),
          },
        ],
      },
      {
        id: "flow",
        title: "AdaGrad’s flow",
        caption: `Its own metric’s margin lies at ${adaptive.toFixed(2)}°, the L2 margin at ${euclidean.toFixed(2)}°.`,
        along: "log10 of ∫ L dt, which grows as log t",
        axis: "angle of the weights, degrees",
        level: { value: adaptive, label: "margin of its own metric" },
        curves: [{ label: "AdaGrad’s flow", x: flow.map(({ time }) => Math.log10(time)), y: angles }],
      },
    ];
    return {
      measured: {
        conserved: Math.max(
          ...[single].map((at) => Math.abs(conservedOf(ONE_POINT, at) - 1)),
          ...flow.map((at) => Math.abs(conservedOf(TWO_POINTS, at) - 1)),
        ),
        root: Math.abs(S / root - 1),
        kkt: Math.abs(angleOf(ahead) - marginAngle(ONE_POINT, metric)),
        certificate: Math.abs(euclidean - 15.75),
        adagrad: halving(angles, adaptive),
        apart: Math.abs(last - euclidean) / Math.abs(last - adaptive),
        first: Math.max(...cases.map(({ found: { angle } }) => Math.abs(angle - 45) / (angle - euclidean))),
        crossover: worst(
          cases.map(({ found }) => found.predicted / found.measured),
          1,
        ),
        adam: Math.max(
          ...cases.map(
            ({ found: { angle, after } }) =>
              Math.abs(after[after.length - 1].angle - euclidean) / Math.abs(angle - euclidean),
          ),
        ),
      },
      told: [
        { label: "one point: ∫ L² dt at the end", value: root },
        { label: "two points: h₂/h₁ at the end of AdaGrad’s flow", value: h[1] / h[0] },
        { label: "two points: direction of that metric’s margin, degrees", value: adaptive },
        { label: "two points: direction of AdaGrad’s flow at the end, on the way, degrees", value: last },
        { label: `AdaGrad’s iteration, h₂/h₁ after ${iterated.step} steps`, value: iterated.ratio },
        {
          label: "direction of the margin in that metric, degrees",
          value: marginAngle(TWO_POINTS, Float64Array.of(1, iterated.ratio)),
        },
        {
          label: `AdaGrad’s iteration, direction after ${iterated.step} steps, on the way, degrees`,
          value: iterated.angle,
        },
        ...cases.flatMap(({ beta2, found }) => [
          { label: `Adam, β2 = ${beta2}: rate r of the loss per step`, value: adamRate(0.012, 0.9, beta2) },
          { label: `Adam, β2 = ${beta2}: step at which √ν̂ falls below ε, measured`, value: found.measured },
          { label: `Adam, β2 = ${beta2}: the same, predicted`, value: Math.round(found.predicted) },
          {
            label: `Adam, β2 = ${beta2}: direction where √ν̂ is a thousand times ε, degrees`,
            value: found.angle,
          },
          {
            label: `Adam, β2 = ${beta2}: direction at the end, on the way, degrees`,
            value: found.after[found.after.length - 1].angle,
          },
        ]),
      ],
      figures,
      remarks: [
        "AdaGrad’s flow and its iteration with η = 0.5 gather different sums s, so that their metrics, and the directions in which they end, differ: the iteration is not the flow, however long it runs.",
        "These two points lie at equal distances on both sides of the L2 margin’s direction: once ε alone is left, the weights’ part across it vanishes, where in general it would stay and the angle fall as 1/log t.",
      ],
    };
  },
});

/** Of a flow's points those with a number of steps that a figure can show. */
const shown = (after: readonly DescentState[]): DescentState[] => after.filter(({ logTime }) => logTime < 60);
