import { bilevel } from "./bilevel.ts";
import { centralization } from "./centralization.ts";
import { contextual } from "./contextual.ts";
import { epsilon } from "./epsilon.ts";
import { folding } from "./folding.ts";
import { hybrid } from "./hybrid.ts";
import { lipschitz } from "./lipschitz.ts";
import { margin } from "./margin.ts";
import { selfTuning } from "./self-tuning.ts";
import type { Study } from "./study.ts";

/** All studies, in the order of the page: a new one is its own file and a word here. */
export const STUDIES: readonly Study[] = [
  margin,
  hybrid,
  contextual,
  folding,
  epsilon,
  lipschitz,
  bilevel,
  selfTuning,
  centralization,
];

/** Their names. */
export const STUDY_NAMES: readonly string[] = STUDIES.map(({ name }) => name);
