/** What related papers say, measured: each study with criteria stated beforehand, numbers, a verdict and figures. */
export { carryOut, type StudyOptions, type StudyOutcome } from "./carry-out.ts";
export { STUDIES, STUDY_NAMES } from "./list.ts";
export {
  type Bound,
  boundWords,
  type Criterion,
  type Findings,
  meets,
  type Paper,
  type Standing,
  type Study,
  type StudySize,
  type StudyTask,
  type ToldNumber,
} from "./study.ts";
