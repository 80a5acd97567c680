/** The engine held against reference fixtures. */
export { objectiveOf, simulationOf } from "./fixture-simulation.ts";
export { fixtureFiles, readFixture } from "./fixtures.ts";
export type { Check, Skip, Verdict } from "./verdict.ts";
export { type VerifyOptions, verifyAll } from "./verify.ts";
