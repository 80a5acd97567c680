import { add, multiply, Objective, square, subtract } from "../autodiff/index.ts";

/**
 * The minimal example of an edge of stability (Berthier, arXiv 2609.01034): ½(y + ζx)x² + ε(−x − y), weights x and y. Its
 * sharpness is about y, which ε drives up; at rest E x² = 2ε for every rule, and oscillations of gradient descent die down to a two-cycle if ζ² > 2/9
 * (docs/derivations.md, section 16).
 */
export function edgeExample(zeta: number, epsilon: number): Objective {
  return new Objective({
    parameters: { x: [], y: [] },
    loss: ({ x, y }) =>
      subtract(multiply(multiply(add(y, multiply(x, zeta)), square(x)), 0.5), multiply(add(x, y), epsilon)),
  });
}

/**
 * The same with two eigenvalues y₁ and y₂ that y₃ couples (Berthier, arXiv 2609.01034), weights x₁, x₂, y₁, y₂, y₃:
 * ½(y₁x₁² + y₂x₂² + √2·y₃x₁x₂) + ½(x₁³ + x₂³) − ε(x₁ + 2y₁ + y₂ + y₃).
 */
export function twoEigenvalues(epsilon: number): Objective {
  return new Objective({
    parameters: { x1: [], x2: [], y1: [], y2: [], y3: [] },
    loss: ({ x1, x2, y1, y2, y3 }) => {
      const form = add(
        add(multiply(y1, square(x1)), multiply(y2, square(x2))),
        multiply(multiply(multiply(y3, Math.SQRT2), x1), x2),
      );
      const cubes = add(multiply(x1, square(x1)), multiply(x2, square(x2)));
      const drive = add(add(x1, multiply(y1, 2)), add(y2, y3));
      return subtract(multiply(add(form, cubes), 0.5), multiply(drive, epsilon));
    },
  });
}
