import {
  type Complaint,
  choice,
  countOrMinusOne,
  integer,
  number,
  pow,
  type Setting,
  type Settings,
  type Values,
} from "../../base/index.ts";
import { cosineSchedule, type Schedule, stepSchedule, warmupSchedule } from "./learning-rate.ts";

/** The learning rate of every optimizer. */
export const lr = {
  kind: number({ over: 0 }),
  help: "learning rate η",
  example: "0.02",
} satisfies Setting<number>;

/** What every optimizer has after its own settings: decay, and how η changes over the steps. */
export const stepSettings = {
  weightDecay: { kind: number({ min: 0 }), default: 0, help: "decoupled decay λ: a step takes off η·λ" },
  schedule: {
    kind: choice("constant", "warmup", "cosine", "step"),
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
} as const satisfies Settings;

/** η, its schedule and the decay of a rule. */
export type StepValues = Values<{ lr: typeof lr } & typeof stepSettings>;

/** Which schedules read a setting; the others want its default. */
const READ_BY: Readonly<Partial<Record<keyof StepValues, readonly StepValues["schedule"][]>>> = {
  warmupSteps: ["warmup", "cosine"],
  totalSteps: ["cosine"],
  finalFraction: ["cosine"],
  stepEvery: ["step"],
};

/** Whether the schedule ends with the run, whose length then decides its numbers. */
export const lastsTheRun = ({ schedule, totalSteps }: StepValues): boolean =>
  schedule === "cosine" && totalSteps <= 0;

/** η of the steps of a run of so many, its warm start included: a number, or a schedule. */
export function learningRateOf(values: StepValues, steps: number): number | Schedule {
  const { lr, schedule, warmupSteps, totalSteps, finalFraction, stepEvery, stepFactor } = values;
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
  }
}

/** How these values do not go together in a run of so many steps, its warm start included. */
export function scheduleComplaint(values: StepValues, steps: number): Complaint | undefined {
  const { lr, weightDecay, schedule, warmupSteps, stepEvery, stepFactor } = values;
  for (const [setting, readers] of Object.entries(READ_BY)) {
    const found = values[setting as keyof StepValues];
    if (found !== stepSettings[setting as keyof typeof stepSettings].default && !readers.includes(schedule))
      return {
        setting,
        expected: `{schedule} ${readers.join(" or ")}`,
        got: `${found} with {schedule} ${schedule}`,
      };
  }
  const needed = { warmup: "warmupSteps", step: "stepEvery" } as const;
  if (schedule === "warmup" || schedule === "step") {
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
  const drops = schedule === "step" ? Math.floor(steps / stepEvery) : 0;
  const last = lr * pow(stepFactor, drops);
  if (!(last > 0 && last < Number.POSITIVE_INFINITY))
    return {
      setting: "stepFactor",
      expected: "a learning rate above 0 and finite to the end",
      got: `${lr} times ${stepFactor}^${drops}`,
      advice: "drop less often ({stepEvery}) or by less",
    };
  const most = Math.max(lr, last);
  if (most * weightDecay >= 1)
    return {
      setting: "weightDecay",
      expected: "less than 1/η, for a step would take all of the weights away",
      got: `${weightDecay} with η = ${most}`,
    };
  return undefined;
}
