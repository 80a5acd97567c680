import type { Objective } from "../autodiff/index.ts";
import { effectiveHessian, type FlowPoint, inverseRootOf } from "../flows/index.ts";
import { lanczos } from "../linalg/index.ts";
import type { Quantity } from "./rows.ts";

/** At most so many points of a warm start are logged, each with an eigenvalue that takes some twenty products. */
const MOST_POINTS = 32;
/** What a picture needs of an eigenvalue. */
const TOLERANCE = 1e-4;

/** One point of a warm start. */
interface Point {
  readonly step: number;
  readonly loss: number;
  readonly sharpness: number | undefined;
}

/**
 * The way of a warm start, at up to 32 evenly spaced steps: loss and effective sharpness, so that a report can show the
 * climb to the edge of stability that a run leaves out. Point i is logged in row i, as `warm_start/step`,
 * `warm_start/train_loss` and `warm_start/sharpness`; a run of fewer rows keeps the first ones.
 */
export class WarmStartLog {
  private readonly objective: Objective;
  private readonly stride: number;
  private readonly project: ((vectors: Float64Array, count: number) => void) | undefined;
  private readonly withSharpness: boolean;
  private readonly points: Point[] = [];

  /** @param steps of the warm start, > 0; @param withSharpness false where no eigenvalue is wanted */
  constructor(
    objective: Objective,
    steps: number,
    withSharpness: boolean,
    project?: (vectors: Float64Array, count: number) => void,
  ) {
    this.project = project;
    this.objective = objective;
    this.stride = Math.ceil(steps / MOST_POINTS);
    this.withSharpness = withSharpness;
  }

  /** For `warmStart`: notes a point where one is due. Asks the objective for products, never for other weights. */
  readonly observe = (step: number, { preconditioner }: FlowPoint): void => {
    if (step % this.stride !== 0) return;
    const sharpness = this.withSharpness ? this.sharpness(preconditioner) : undefined;
    this.points.push({ step, loss: this.objective.loss(), sharpness });
  };

  /** What row `index` carries; nothing after the last point. */
  at(index: number): Record<string, Quantity> {
    const point = this.points[index];
    if (!point) return {};
    return {
      "warm_start/step": point.step,
      "warm_start/train_loss": point.loss,
      ...(point.sharpness !== undefined && { "warm_start/sharpness": point.sharpness }),
    };
  }

  private sharpness(preconditioner: Float64Array): number | undefined {
    if (!preconditioner.every((entry) => entry > 0 && entry < Number.POSITIVE_INFINITY)) return undefined;
    const inverseRoot = inverseRootOf(preconditioner, new Float64Array(preconditioner.length));
    const operator = effectiveHessian(this.objective, inverseRoot, this.project);
    const { value } = lanczos(preconditioner.length, operator, { largest: 1, tolerance: TOLERANCE });
    return Number.isFinite(value.values[0]) ? value.values[0] : undefined;
  }
}
