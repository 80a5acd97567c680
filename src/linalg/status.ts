/** How a solver ended. Each solver's result type lists the few of these that it can return. */
export type SolverStatus = keyof typeof advice;

/** How a dense factorisation ended. */
export type DenseStatus = "solved" | "not-finite" | "iteration-limit";

/** How an iterative eigensolver ended. */
export type EigenStatus = "converged" | "iteration-limit" | "stagnated" | "stopped" | "not-finite";

/** One sentence per status: what it means and what to do next. */
export const advice = {
  solved: "All conditions hold to the stated tolerance; nothing to do.",
  converged: "Every required pair meets its tolerance; nothing to do.",
  "iteration-limit":
    "The iteration limit came first; raise maxIterations, loosen the tolerance or start closer to the solution.",
  stagnated:
    "Rounding errors in the operator keep the residual above the tolerance; loosen the tolerance or accept the residuals in stats.",
  stopped: "The caller's stop callback ended the run; the pairs are the best so far.",
  "not-finite":
    "The problem's data or the operator's products contain NaN or infinity; check the model for overflow and take a smaller step.",
  differentiable:
    "The solution is unique and strictly complementary, so its derivative exists; nothing to do.",
  degenerate:
    "A constraint is active without a force on it, or a direction belongs to neither of two complementary matrices, up to the margin in stats; the solution has a kink here, so move the data a little or use differences on either side.",
  "not-unique":
    "The solution is not the only one, so it has no derivative; add a little curvature to the objective.",
  "not-positive-definite":
    "A pivot was not positive; the matrix is singular or indefinite, so add a shift or use an eigen decomposition.",
  "non-convex":
    "Q has negative curvature along the direction returned, so a stationary point need not be a minimum; use the positive semidefinite part of Q or a method for non-convex programs.",
  infeasible: "No point satisfies all constraints; the multipliers returned prove it, so relax a constraint.",
  unbounded:
    "The objective falls without bound along the direction returned; add a constraint or a positive curvature there.",
  inaccurate:
    "The best point found violates a condition by more than the tolerance; read the violations in stats, and rescale the problem if they are too large.",
  "singular-noise":
    "The noise vanishes along some direction; the answer is the limit of a little noise added in every direction, whose size is in stats.",
  unstable:
    "No stationary covariance exists: an eigenvalue of Y leaves the interval (0, 2) in which the linear iteration contracts; leave that direction out or take a smaller step.",
  unsolvable:
    "No solution of moderate size exists, because B does not push back along the direction returned, on which A is negative; take a smaller step so that A stays positive, or check that B is not zero.",
} as const;
