/** Files of the user: an update rule of their own, and its copy in a run's folder. */
export { keepRule, RULE_RIGHTS, ruleChange, ruleCopy } from "./copy.ts";
export { loadRuleFile, type RuleFile, readRuleFile } from "./file.ts";
