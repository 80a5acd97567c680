/** Files of the user: an update rule of their own. */
export { loadRuleFile, type RuleFile, readRuleFile, ruleName } from "./file.ts";
