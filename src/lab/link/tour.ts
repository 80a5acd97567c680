import type { StepRow } from "../../simulation/index.ts";

/** One moment of the tour. */
export interface Beat {
  /** Such as `edge.1`, as links name it. */
  readonly name: string;
  readonly title: string;
  /** The run, as a link has it. */
  readonly link: string;
  /** Two sentences. */
  readonly words: string;
  /** A question to answer before the run is over. */
  readonly guess: {
    readonly question: string;
    readonly answers: readonly string[];
    /** Which of the answers is right. */
    readonly right: number;
  };
  /** What must be seen, and whether the rows show it. */
  readonly seen: {
    readonly words: string;
    readonly holds: (rows: readonly StepRow[], criticalValue: number) => boolean;
  };
}

const MOONS = "data=moons&arch=mlp&arch.width=16";
const THREE = "runs=discrete,central,stable";

/** A number of each row; NaN where it was not logged, the first of several. */
function column(rows: readonly StepRow[], path: string): number[] {
  return rows.map(({ quantities }) => {
    const found = quantities[path];
    if (found === undefined) return Number.NaN;
    return typeof found === "number" ? found : found.data.length > 0 ? found.data[0] : Number.NaN;
  });
}

const last = (values: readonly number[]): number => values.at(-1) ?? Number.NaN;
const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;
const tops = (rows: readonly StepRow[], process: string): number[] =>
  column(rows, `${process}/effective_hessian_eigs`);

/** The tour in its order. */
export const TOUR: readonly Beat[] = [
  {
    name: "edge.1",
    title: "Reach the edge",
    link: `opt=gd&opt.lr=0.6&${MOONS}&${THREE}&steps=200`,
    words:
      "Gradient descent with a fixed step size η sharpens the landscape until the largest eigenvalue of the Hessian meets 2/η. Beyond that line a step overshoots along that direction.",
    guess: {
      question: "Where will the sharpness stop?",
      answers: ["it goes on climbing", "at 2/η", "it falls to 0"],
      right: 1,
    },
    seen: {
      words: "It rises from below to 2/η = 3.33 and stays around it for the rest of the run.",
      holds(rows, c) {
        const top = tops(rows, "discrete");
        return top[0] < 0.8 * c && Math.abs(mean(top.slice(-100)) / c - 1) < 0.15;
      },
    },
  },
  {
    name: "edge.2",
    title: "A smaller step",
    link: `opt=gd&opt.lr=0.5&${MOONS}&${THREE}&steps=200/opt.lr=0.6`,
    words:
      "Now η is 0.5 in place of 0.6, and the line 2/η is higher, at 4. The run from before is drawn beside this one.",
    guess: {
      question: "Where does the sharpness stop now?",
      answers: ["at 3.33 as before", "at 4"],
      right: 1,
    },
    seen: {
      words: "The network sharpens further: the step size decides how sharp it becomes.",
      holds(rows) {
        const top = mean(column(rows, "discrete/hessian_eigs").slice(-60));
        return (
          Math.abs(last(column(rows, "central/hessian_eigs")) / 4 - 1) < 0.01 && Math.abs(top / 4 - 1) < 0.15
        );
      },
    },
  },
  {
    name: "flow.1",
    title: "The central flow",
    link: `opt=gd&opt.lr=0.6&${MOONS}&${THREE}&steps=200&view=effective`,
    words:
      "The black curve is a differential equation without any oscillation of its own. It knows how large the optimizer’s oscillation must be to keep the sharpness at the edge, and takes it into account.",
    guess: {
      question:
        "Which smooth curve stays nearer to the optimizer: the central flow or the stable flow (the one without oscillation, red)?",
      answers: ["the stable flow", "the central flow"],
      right: 1,
    },
    seen: {
      words:
        "The central flow stays at the edge and near the optimizer; the stable flow climbs past 2 and leaves.",
      holds(rows, c) {
        const near = column(rows, "distances/central-discrete");
        const far = column(rows, "distances/discrete-stable");
        return (
          last(near) < 0.5 * last(far) &&
          Math.max(...tops(rows, "stable").filter(Number.isFinite)) > 1.3 * c &&
          Math.abs(last(tops(rows, "central")) / c - 1) < 0.01
        );
      },
    },
  },
  {
    name: "flow.2",
    title: "How hard it oscillates",
    link: `opt=gd&opt.lr=0.6&${MOONS}&${THREE}&steps=200&view=band`,
    words:
      "Seen from the flow, the optimizer jumps from side to side along the sharpest direction. The dotted lines are the width that the central flow predicts for it, without having seen a single jump.",
    guess: {
      question: "Will the jumps fit between the lines?",
      answers: ["they are far larger", "on average, yes"],
      right: 1,
    },
    seen: {
      words:
        "They swell and die down around the predicted width; over the run their mean square is the predicted variance, to within a factor of two.",
      holds(rows) {
        const moved = column(rows, "deltas");
        const width = column(rows, "central/predicted_variances");
        const both = rows.map((_, i) => i).filter((i) => i > 40 && Number.isFinite(moved[i]) && width[i] > 0);
        const ratio = mean(both.map((i) => moved[i] ** 2)) / mean(both.map((i) => width[i]));
        return both.length > 50 && ratio > 0.5 && ratio < 2;
      },
    },
  },
  {
    name: "acceleration.1",
    title: "Acceleration by regularization",
    link: "opt=rmsprop&opt.lr=0.02&opt.beta2=0.95&opt.eps=1e-7&opt.bias-correction=true&data=moons&data.n=60&arch=mlp&arch.width=8&runs=discrete,central,ablated&steps=150&view=effective",
    words:
      "RMSProp divides each step by the size of its gradients, and so decides its own step sizes. The ablated flow adapts them too, but is not told that oscillation pushes the weights towards regions of low curvature.",
    guess: {
      question: "Which of the two flows trains faster?",
      answers: ["the central flow", "the ablated flow"],
      right: 0,
    },
    seen: {
      words:
        "The central flow, with the push, ends with the lower loss: going where the landscape is flat lets RMSProp take larger steps.",
      holds: (rows) => last(column(rows, "central/train_loss")) < last(column(rows, "ablated/train_loss")),
    },
  },
  {
    name: "momentum.1",
    title: "Momentum",
    link: "opt=heavy-ball&opt.lr=0.5&data=classification&data.n=60&data.classes=4&arch=mlp&arch.width=8&runs=discrete,central,stable&steps=150&view=effective",
    words:
      "The heavy ball adds nine tenths of its last step to the next. A step that overshoots is then partly taken back, so it stays stable for longer.",
    guess: {
      question:
        "Without momentum the edge of the effective sharpness is at 2. Where is it with momentum 0.9?",
      answers: ["at 1", "at 2", "at 38"],
      right: 2,
    },
    seen: {
      words: "The edge is at 2(1 + β)/(1 − β) = 38, and the flow meets it there.",
      holds: (rows, c) =>
        Math.abs(c - 38) < 1e-9 && tops(rows, "central").some((top) => Math.abs(top / c - 1) < 0.025),
    },
  },
];

/** The beat of a name; undefined where there is none. */
export const beatNamed = (name: string): Beat | undefined => TOUR.find((beat) => beat.name === name);
