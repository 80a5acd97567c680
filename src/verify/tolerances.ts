/** How far from the reference a quantity may be, and why: what the reference agrees to with itself, and some room. */
export interface Rule {
  readonly tolerance: number;
  /** What is measured and for which quantities the tolerance holds. */
  readonly text: string;
}

const FIRST =
  "derivatives: loss, outputs, gradient and Hessian-vector products 1e-10, relative in the 2-norm";
const first: Rule = { tolerance: 1e-10, text: FIRST };

/** Values and derivatives at one point. */
export const DERIVATIVE_RULES = {
  outputs: first,
  loss: first,
  gradient: first,
  product: first,
  third: { tolerance: 1e-9, text: "derivatives: third derivatives 1e-9, relative in the 2-norm" },
  accuracy: { tolerance: 0, text: "accuracy exact" },
} as const satisfies Readonly<Record<string, Rule>>;

/** Update rules beside torch.optim's. */
export const OPTIMIZER_RULE: Rule = {
  tolerance: 1e-9,
  text: "optimizers: 1e-9 at every recorded point, relative in the 2-norm",
};

/** Steps for which what depends on a discrete iterate is judged: beyond, it is sensitive at the edge of stability. */
export const JUDGED_DISCRETE_STEPS = 40;

/** How a row's quantity is held against the reference's. */
export type Measure = "relative" | "above-threshold" | "of-largest" | "deltas";

/** How one quantity of a trajectory is judged. */
export interface TrajectoryRule extends Rule {
  readonly measure: Measure;
  /** Steps it is judged for; the deviation of later ones is reported. */
  readonly steps: number;
  /** Whether the reference logs it wrongly once the stable flow has stopped. */
  readonly untilStop: boolean;
}

/** Processes whose rows are judged at every step; the others' are sensitive. */
const isSteady = (process: string): boolean => process === "central" || process === "stable";

const LATE = `; what depends on discrete or midpoint for the first ${JUDGED_DISCRETE_STEPS} steps`;

/**
 * The rule for a quantity that a trajectory logs.
 * @param path as it is logged: `central/train_loss`, `distances/central-stable`, `deltas`
 */
export function trajectoryRule(path: string): TrajectoryRule {
  const [section, name = section] = path.split("/");
  const steady = (section === "distances" ? name.split("-") : [section]).every(isSteady);
  const steps = steady ? Number.POSITIVE_INFINITY : JUDGED_DISCRETE_STEPS;
  const rule = (measure: Measure, tolerance: number, text: string, untilStop = false): TrajectoryRule => ({
    measure,
    tolerance,
    text,
    steps,
    untilStop,
  });
  const sensitive = `discrete and midpoint: 1e-8 for the first ${JUDGED_DISCRETE_STEPS} steps, relative`;
  switch (name) {
    case "train_acc":
      return rule("relative", DERIVATIVE_RULES.accuracy.tolerance, DERIVATIVE_RULES.accuracy.text);
    case "train_loss":
      return steady
        ? rule("relative", 1e-7, "central and stable: loss 1e-7, relative")
        : rule("relative", 1e-8, sensitive);
    case "effective_hessian_eigs":
      return steady
        ? rule("above-threshold", 1e-6, "central and stable: eigenvalues above the threshold 1e-6, relative")
        : rule("above-threshold", 1e-8, `${sensitive}, eigenvalues above the threshold`);
    case "predicted_variances":
      return rule("of-largest", 1e-4, "predicted variances 1e-4 of the run's largest");
    case "deltas":
    case "midpoint_deltas":
      return rule(
        "deltas",
        1e-3,
        `deltas 1e-3 in absolute value, signs free, not where two variances are within 1 %${LATE}`,
      );
    default: {
      const untilStop = section === "stable" && name.startsWith("grad_");
      const stop = untilStop ? "; gradient quantities of stable up to its stop" : "";
      const late = steady ? stop : LATE;
      return rule("of-largest", 1e-4, `everything else: 1e-4 of the run's largest${late}`, untilStop);
    }
  }
}

/** The rule for the weights that a process ends with, after so many steps in all. */
export function finalWeightsRule(process: string, steps: number): Rule & { readonly judged: boolean } {
  const steady = isSteady(process);
  const early = `discrete and midpoint: 1e-8 for the first ${JUDGED_DISCRETE_STEPS} steps`;
  return {
    tolerance: steady ? 1e-6 : 1e-8,
    text: `${steady ? "central and stable: final weights 1e-6" : early}, of the distance travelled`,
    judged: steady || steps <= JUDGED_DISCRETE_STEPS,
  };
}

/**
 * Whether a fixture's array of this name holds what every build logs of the processes it runs, so that a build which
 * does not log it is wrong rather than older.
 */
export function isLoggedName(key: string): boolean {
  return /^(distances\/.*|(midpoint_)?deltas|\w+\/(train_(loss|acc)|effective_hessian_eigs|grad_(norm_sq|sq_selected_idx)|opt_\w+|predicted_\w+|sigma_trace))$/.test(
    key,
  );
}
