/** The table of all primitives. */
import { convolutionRule } from "./convolution.ts";
import { elementwiseRules } from "./elementwise.ts";
import { gatherRule, scatterAddRule } from "./indexing.ts";
import { matmulRule } from "./matmul.ts";
import {
  broadcastRule,
  concatenateRule,
  padRule,
  reshapeRule,
  sliceRule,
  transposeRule,
} from "./movement.ts";
import { recurrenceRule } from "./recurrence.ts";
import { maxRule, sumRule } from "./reduction.ts";
import type { RuleTable } from "./rule.ts";

/** One rule per primitive; a primitive without one does not type-check. */
export const RULES: RuleTable = {
  ...elementwiseRules,
  reshape: reshapeRule,
  transpose: transposeRule,
  broadcast: broadcastRule,
  slice: sliceRule,
  pad: padRule,
  concatenate: concatenateRule,
  sum: sumRule,
  max: maxRule,
  matmul: matmulRule,
  gather: gatherRule,
  scatterAdd: scatterAddRule,
  convolution: convolutionRule,
  recurrence: recurrenceRule,
};
