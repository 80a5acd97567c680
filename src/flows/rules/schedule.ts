import {
  type Complaint,
  choice,
  countOrMinusOne,
  either,
  fromStep,
  integer,
  list,
  number,
  pow,
  type Setting,
  type Settings,
  type Values,
} from "../../base/index.ts";
import {
  cosineSchedule,
  piecewiseSchedule,
  type Schedule,
  stepSchedule,
  warmupSchedule,
} from "./learning-rate.ts";

/** The learning rate of every optimizer. */
export const lr = {
  kind: number({ over: 0 }),
  help: "learning rate η",
  example: "0.02",
} satisfies Setting<number>;

/** What every optimizer has after its own settings: decay, and how η changes over the steps. */
export const stepSettings = {
  weightDecay: { kind: number({ min: 0 }), default: 0, help: "decoupled decay λ: a step takes off η·λ" },
  centralize: {
    kind: choice("none", "gradient", "moment"),
    default: "none",
    help: "take its mean from each output's gradient, or each moment",
    younger: true,
  },
  schedule: {
    kind: choice("constant", "warmup", "cosine", "step", "piecewise"),
    default: "constant",
    help: "how η changes over the steps",
  },
  warmupSteps: {
    kind: integer({ min: 0 }),
    default: 0,
    help: "steps of linear growth to η (warmup, cosine)",
    example: "10",
  },
  totalSteps: { kind: countOrMinusOne, default: -1, help: "step at which the cosine ends; -1: the last one" },
  finalFraction: {
    kind: number({ over: 0, max: 1 }),
    default: 0.001,
    help: "where the cosine ends, as part of η; not 0",
  },
  stepEvery: { kind: countOrMinusOne, default: -1, help: "steps between two drops (step)", example: "100" },
  stepFactor: { kind: number({ over: 0 }), default: 0.5, help: "what a drop multiplies η by (step)" },
  lrAt: {
    kind: either(list(fromStep({ over: 0 }), 1), "none", null),
    default: null,
    help: "η from steps on (piecewise): STEP:η, steps of a warm start included",
    example: "120:0.1,200:0.05",
    younger: true,
  },
} as const satisfies Settings;

/** η, its schedule and the decay of a rule. */
export type StepValues = Values<{ lr: typeof lr } & typeof stepSettings>;

/** Which schedules read a setting; the others want its default. */
const READ_BY: Readonly<Partial<Record<keyof StepValues, readonly StepValues["schedule"][]>>> = {
  warmupSteps: ["warmup", "cosine"],
  totalSteps: ["cosine"],
  finalFraction: ["cosine"],
  stepEvery: ["step"],
  lrAt: ["piecewise"],
};

/** Whether the schedule ends with the run, whose length then decides its numbers. */
export const lastsTheRun = ({ schedule, totalSteps }: StepValues): boolean =>
  schedule === "cosine" && totalSteps <= 0;

/** η of the steps of a run of so many, its warm start included: a number, or a schedule. */
export function learningRateOf(values: StepValues, steps: number): number | Schedule {
  const { lr, schedule, warmupSteps, totalSteps, finalFraction, stepEvery, stepFactor, lrAt } = values;
  switch (schedule) {
    case "constant":
      return lr;
    case "warmup":
      return warmupSchedule(lr, warmupSteps);
    case "cosine":
      return cosineSchedule(lr, {
        warmupSteps,
        totalSteps: lastsTheRun(values) ? steps : totalSteps,
        finalFraction,
      });
    case "step":
      return stepSchedule(lr, stepEvery, stepFactor);
    case "piecewise":
      return piecewiseSchedule(lr, lrAt ?? []);
  }
}

/** How these values do not go together in a run of so many steps, its warm start included. */
export function scheduleComplaint(values: StepValues, steps: number): Complaint | undefined {
  const { lr, weightDecay, schedule, warmupSteps, stepEvery, stepFactor, lrAt } = values;
  for (const [setting, readers] of Object.entries(READ_BY)) {
    const found = values[setting as keyof StepValues];
    if (found !== stepSettings[setting as keyof typeof stepSettings].default && !readers.includes(schedule))
      return {
        setting,
        expected: `{schedule} ${readers.join(" or ")}`,
        got: `${setting === "lrAt" ? "one" : found} with {schedule} ${schedule}`,
      };
  }
  const needed = { warmup: "warmupSteps", step: "stepEvery", piecewise: "lrAt" } as const;
  if (schedule === "warmup" || schedule === "step" || schedule === "piecewise") {
    const { default: idle, example } = stepSettings[needed[schedule]];
    if (values[needed[schedule]] === idle)
      return {
        setting: needed[schedule],
        expected: `one with {schedule} ${schedule}`,
        got: "none",
        advice: `for example ${example}`,
      };
  }
  if (schedule === "cosine" && warmupSteps >= (lastsTheRun(values) ? steps : values.totalSteps))
    return {
      setting: "warmupSteps",
      expected: `fewer steps than the ${lastsTheRun(values) ? steps : values.totalSteps} of the cosine`,
      got: String(warmupSteps),
    };
  const backward = lrAt?.find(([step], i) => i > 0 && step <= lrAt[i - 1][0]);
  if (backward)
    return {
      setting: "lrAt",
      expected: "steps in ascending order",
      got: lrAt?.map(([step]) => step).join(", ") ?? "none",
    };
  const drops = schedule === "step" ? Math.floor(steps / stepEvery) : 0;
  const last = lr * pow(stepFactor, drops);
  if (!(last > 0 && last < Number.POSITIVE_INFINITY))
    return {
      setting: "stepFactor",
      expected: "a learning rate above 0 and finite to the end",
      got: `${lr} times ${stepFactor}^${drops}`,
      advice: "drop less often ({stepEvery}) or by less",
    };
  const most = Math.max(lr, last, ...(lrAt ?? []).map(([, rate]) => rate));
  if (most * weightDecay >= 1)
    return {
      setting: "weightDecay",
      expected: "less than 1/η, for a step would take all of the weights away",
      got: `${weightDecay} with η = ${most}`,
    };
  return undefined;
}
