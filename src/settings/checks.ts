import {
  accepted,
  type Complaint,
  checkValue,
  complaintError,
  isIgnored,
  valueError,
} from "../base/index.ts";
import type { DatasetDefinition } from "../data/index.ts";
import { type ProcessKind, processEntry, scheduleComplaint } from "../flows/index.ts";
import type { Architecture } from "../models/index.ts";
import { noData, ownFileKind, ownPart } from "./custom.ts";
import { FAMILIES, type Families, hyphenated, optionsOf, PART_NAMES, valueAt, valuesOf } from "./table.ts";
import type { AnyPart, EigConfig, PartName, ReferenceProcess, RunConfig, Selection } from "./types.ts";

/** The optimizer, data set and network of a configuration. */
export const selectionOf = (config: RunConfig, families: Families = FAMILIES): Selection => {
  const part = (slot: PartName): AnyPart => {
    const chosen = config[slot];
    if ("options" in chosen) return ownPart(ownFileKind(slot, chosen.name), chosen.options);
    return chosen.name === "none" ? noData : families[slot][chosen.name];
  };
  const { observe } = config;
  return {
    opt: part("opt"),
    data: part("data"),
    arch: part("arch"),
    ...(observe && { observe: ownPart("observe", observe.options) }),
  };
};

/** The eigenvalue settings of one process: the common ones with its own in their place. */
export function eigOf(config: Pick<RunConfig, "eig" | ReferenceProcess>, process: ProcessKind): EigConfig {
  const own = Object.entries(config[processEntry(process).eigenSettings].eig).filter(
    ([, value]) => value !== null,
  );
  return { ...config.eig, ...Object.fromEntries(own) };
}

/** The processes of a run that cannot do without eigenvalues: stable needs none where it never stops. */
const needingEigenvalues = ({ runs, stable }: Pick<RunConfig, "runs" | "stable">): ProcessKind[] =>
  runs.filter((process) => {
    const { needsEigenvalues } = processEntry(process);
    return needsEigenvalues === "always" || (needsEigenvalues === "to-stop" && stable.maxSeff !== null);
  });

/** Those of them whose frequency nothing but the common one sets. */
export const relyingOnCommonFrequency = (config: RunConfig): ProcessKind[] =>
  needingEigenvalues(config).filter(
    (process) => config[processEntry(process).eigenSettings].eig.frequency === null,
  );

/** The error for settings of a part that do not go together. */
function refusal(part: PartName, complaint: Complaint): Error {
  const spell = (name: string): string => `--${part}.${hyphenated(name)}`;
  return complaintError(spell(complaint.setting), complaint, spell);
}

function checkParts(config: RunConfig, selection: Selection, families: Families): void {
  const data = selection.data as Partial<DatasetDefinition>;
  const arch = selection.arch as Partial<Architecture>;
  if (data.gives && data.gives !== "any arrays" && arch.reads && !arch.reads.includes(data.gives)) {
    const { gives } = data;
    const networks = Object.values(families.arch as Readonly<Record<string, Architecture>>)
      .filter(({ reads }) => reads.includes(gives))
      .map(({ name }) => `arch:${name}`);
    const sets = Object.values(families.data as Readonly<Record<string, DatasetDefinition>>)
      .filter((each) => each.gives !== "any arrays" && arch.reads?.includes(each.gives))
      .map(({ name }) => `data:${name}`);
    throw valueError(
      `arch:${arch.name}`,
      `data of ${arch.reads.join(" or ")}`,
      `data:${data.name}, which gives ${gives}`,
      `with this network ${sets.join(", ")} would do, with these data ${networks.join(", ")}`,
    );
  }
  if ((data.name === "none") !== (selection.arch.fileKind === "loss"))
    throw valueError(
      "run",
      "loss:FILE alone, or data and a network",
      data.name === "none" ? `arch:${arch.name} without data` : `loss:FILE with data:${data.name}`,
      "name the data with data:NAME",
    );
  for (const part of PART_NAMES) {
    const complaint = selection[part].check?.(valuesOf(config[part]));
    if (complaint) throw refusal(part, complaint);
  }
  const complaint = scheduleComplaint(config.opt, config.steps + Math.max(config.warmStart, 0));
  if (complaint) throw refusal("opt", complaint);
}

function checkRivals({ opt, runs }: RunConfig): void {
  // Whether a custom rule has a second moment, the rule itself tells, when it is run.
  const rulesOf = (process: ProcessKind) => processEntry(process).rules;
  const rival = runs.find(
    (process) =>
      rulesOf(process) === "second moment" || (rulesOf(process) === "squares" && opt.name !== "own"),
  );
  if (rival !== undefined && !("beta2" in opt))
    throw valueError(
      "--runs",
      `an optimizer with a second moment for ${rival}`,
      `opt:${opt.name}`,
      `leave ${rival} out, or take opt:rmsprop`,
    );
  const atRest = runs.find(
    (process) => rulesOf(process) === "second moment" || rulesOf(process) === "no momentum",
  );
  if (atRest !== undefined && "beta1" in opt)
    throw valueError(
      "--runs",
      `an optimizer without momentum for ${atRest}`,
      `opt:${opt.name}`,
      `leave ${atRest} out, or take opt:rmsprop`,
    );
}

function checkEigenvalues(config: RunConfig): void {
  for (const process of needingEigenvalues(config)) {
    if (eigOf(config, process).frequency === -1)
      throw valueError(
        "--eig.frequency",
        `at least 1, since the ${process} flow needs eigenvalues`,
        "-1 (never)",
        `give --eig.frequency 1, or leave ${process} out of --runs`,
      );
  }
}

function checkStart({ init, load }: RunConfig): void {
  if (load.fromProcess !== null && load.path === null)
    throw valueError("--load.from-process", "a checkpoint in --load.path", "none");
  if (load.path !== null && init !== null)
    throw valueError("--init", "either initial weights or a checkpoint", "--init and --load.path");
}

/** What is allowed but may not be what was meant. */
function doubts(config: RunConfig): string[] {
  const notices: string[] = [];
  const { central, checkpoint, load, runs, steps, warmStart } = config;
  const tracked = eigOf(config, "central").trackThreshold;
  if (runs.includes("central") && tracked > central.sdcpThreshold)
    notices.push(
      `eigenvalues between --central.sdcp-threshold ${central.sdcpThreshold} and --eig.track-threshold ${tracked} may be missed: a smaller track threshold is safe`,
    );
  if (load.path !== null && warmStart > 0)
    notices.push("--warm-start is skipped: the run starts from --load.path");
  const late = checkpoint.steps.filter((step) => step >= steps);
  if (late.length > 0)
    notices.push(`no checkpoint at ${late.join(", ")}: a run of ${steps} steps has steps 0 to ${steps - 1}`);
  return notices;
}

/**
 * Checks every value of a configuration and how the values go together.
 *
 * @param config read only
 * @returns sentences on what is allowed but may not be meant
 * @throws InputKindError or InputValueError naming the flag to change
 */
export function checkRun(config: RunConfig, selection = selectionOf(config), families = FAMILIES): string[] {
  for (const { flag, path, setting } of optionsOf(selection))
    if (!isIgnored(setting))
      accepted(setting.kind, `--${flag}`, checkValue(setting.kind, valueAt(config, path)));
  checkParts(config, selection, families);
  checkRivals(config);
  checkEigenvalues(config);
  checkStart(config);
  return doubts(config);
}
