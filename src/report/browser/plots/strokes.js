import { color } from "./theme.js";

/**
 * How each role is drawn: width, dash, and whether it lies over (higher) or under the others.
 * @type {Record<string, { width: number, dash?: number[], layer: number }>}
 */
const STROKES = {
  warm: { width: 2, layer: 0 },
  discrete: { width: 1.25, layer: 0 },
  edge: { width: 1.25, dash: [6, 4], layer: 6 },
  midpoint: { width: 1.5, dash: [10, 3, 2, 3], layer: 1 },
  stable: { width: 2, dash: [9, 5], layer: 2 },
  stationary: { width: 2, dash: [3, 4], layer: 2 },
  "noisy-central": { width: 3, dash: [], layer: 3 },
  ablated: { width: 2, dash: [12, 4, 3, 4], layer: 2 },
  "two-step": { width: 2.25, dash: [7, 3], layer: 3 },
  closure: { width: 2, dash: [3, 3], layer: 3 },
  rod: { width: 2, dash: [8, 3, 2, 3], layer: 2 },
  "rod-each": { width: 2, dash: [5, 3], layer: 2 },
  "edge-flow": { width: 2, dash: [2, 3], layer: 2 },
  average: { width: 2, layer: 3 },
  central: { width: 2.75, layer: 4 },
  prediction: { width: 2.25, dash: [2.5, 3.5], layer: 5 },
};

/** How a role without a stroke of its own is drawn. */
const PLAIN = { width: 2, dash: [6, 3, 2, 3, 2, 3], layer: 2 };

/** Runs beside one another differ by colour, and the second half of them by stroke as well. */
const RUN = { width: 2, layer: 1 };
const RUN_DASHED = { width: 2, dash: [8, 4], layer: 1 };

/**
 * @param {string} role
 * @returns {{ width: number, dash?: number[], layer: number }}
 */
export function strokeOf(role) {
  if (role in STROKES) return STROKES[role];
  if (!role.startsWith("run-")) return PLAIN;
  return Number(role.slice(4)) < 4 ? RUN : RUN_DASHED;
}

/** @param {string} role */
export const roleColor = (role) => color(`--${role}`) || color("--muted");
