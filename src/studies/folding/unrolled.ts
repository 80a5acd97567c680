import { pow } from "../../base/index.ts";

/** Gradient descent on ½h x² − b x, where h and b depend on a parameter: their values and derivatives by it. */
export interface ScalarDescent {
  readonly curvature: number;
  readonly curvatureSlope: number;
  readonly force: number;
  readonly forceSlope: number;
  readonly rate: number;
  /** x₀, which does not depend on the parameter */
  readonly start: number;
}

/** x* = b/h and J* = dx*, its derivative by the parameter. */
export function limitOf({ curvature, curvatureSlope, force, forceSlope }: ScalarDescent) {
  const x = force / curvature;
  return { x, derivative: (forceSlope - curvatureSlope * x) / curvature };
}

/** The derivatives J_0, …, J_steps of the iterates by the parameter: unrolling, differentiated step by step. */
export function unrolledDerivatives(descent: ScalarDescent, steps: number): number[] {
  const { curvature, curvatureSlope, force, forceSlope, rate, start } = descent;
  let [x, derivative] = [start, 0];
  const derivatives = [derivative];
  for (let t = 0; t < steps; t++) {
    derivative -= rate * (curvature * derivative + curvatureSlope * x - forceSlope);
    x -= rate * (curvature * x - force);
    derivatives.push(derivative);
  }
  return derivatives;
}

/**
 * J_t − J* in closed form: with ρ = 1 − γh, −ρᵗJ* + tρᵗ⁻¹(−γh′)(x₀ − x*). The derivative of x_t − x* = ρᵗ(x₀ − x*): since ρ
 * depends on the parameter, the error of the derivative first grows, as tρᵗ, unless x₀ = x*.
 */
export function unrolledError(descent: ScalarDescent, t: number): number {
  const { curvature, curvatureSlope, rate, start } = descent;
  const limit = limitOf(descent);
  const rho = 1 - rate * curvature;
  const bump = t === 0 ? 0 : t * pow(rho, t - 1) * -rate * curvatureSlope * (start - limit.x);
  return bump - pow(rho, t) * limit.derivative;
}
