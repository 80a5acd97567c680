export {
  type ContestOptions,
  type ContestOutcome,
  holdContest,
  MODELS,
} from "./contest.ts";
export { contestText } from "./page.ts";
export { type Played, playModel, playOptimizer, type Reference } from "./play.ts";
export { PROBLEMS, type Problem, type Start } from "./problems.ts";
export type { Entry, ProblemResult, Series } from "./result.ts";
export { type Facts, factsOf, type Score, scoreOf } from "./score.ts";
