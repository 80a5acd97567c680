import { plainNumber } from "./format.ts";

/** One thing to know about a run. */
export interface Fact {
  readonly label: string;
  readonly value: string;
}

/** The part of a configuration's nested record that facts are read from; anything may be missing. */
type Json = Readonly<Record<string, unknown>>;

/**
 * What a run is, for the head of its report: optimizer, learning rate, data, network, steps. Read from a
 * configuration in the structure of config.json; what it does not say is left out.
 */
export function runFacts(config: Json): Fact[] {
  const facts: [string, string | undefined][] = [
    ["Optimizer", optimizer(group(config, "opt"))],
    ["Learning rate", text(group(config, "opt").lr)],
    ["Data", data(group(config, "data"))],
    [group(config, "arch").class === "OwnLoss" ? "Loss" : "Network", network(group(config, "arch"))],
    ["Observed", fileOf(group(config, "observe"))],
    ["Steps", text(config.steps)],
    ["Warm start", Number(config.warm_start) > 0 ? `${text(config.warm_start)} steps` : undefined],
    [
      "Precision",
      group(config, "discrete_config").precision === "float32"
        ? "optimizer float32, flows float64"
        : undefined,
    ],
  ];
  return facts.flatMap(([label, value]) => (value === undefined ? [] : [{ label, value }]));
}

/** What a run's report is called: the optimizer and its flow, the network and its data, as far as they are known. */
export function titleOf(config: Json): string {
  const opt = group(config, "opt");
  const rule = typeof opt.file === "string" ? opt.file : sentenceCase(className(opt) ?? "An optimizer");
  const runs = Array.isArray(config.runs) ? config.runs : ["central"];
  const subject = runs.includes("central") ? `${rule} and its central flow` : rule;
  const [arch, data] = [group(config, "arch"), group(config, "data")];
  const network = text(arch.file) ?? className(arch);
  if (network && data.class === "NoData") return `${subject}: ${network}`;
  const examples = text(data.file) ?? className(data)?.toLowerCase();
  return network && examples ? `${subject}: ${network} on ${examples}` : subject;
}

/** `Gradient Descent` inside a title; `Scalar RMSProp` keeps its capitals. */
const sentenceCase = (name: string): string =>
  name.replace(/ [A-Z](?=[a-z]+(?: |$))/g, (start) => start.toLowerCase());

/** Every leaf of a nested record as `a.b`: value, in order, for the full listing. */
export function flattened(config: Json, prefix = ""): Fact[] {
  return Object.entries(config).flatMap(([key, value]): Fact[] => {
    const label = `${prefix}${key}`;
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return flattened(value as Json, `${label}.`);
    return [{ label, value: typeof value === "string" ? value : (JSON.stringify(value) ?? "") }];
  });
}

function group(config: Json, key: string): Json {
  const value = config[key];
  return typeof value === "object" && value !== null ? (value as Json) : {};
}

/** `ScalarRMSProp` reads better as `Scalar RMSProp`. */
function className(part: Json): string | undefined {
  const name = part.class ?? part.name;
  return typeof name === "string" ? name.replace(/([a-z])([A-Z])/g, "$1 $2") : undefined;
}

/** A file of the user's with its options; undefined for a part by name. */
function fileOf(part: Json): string | undefined {
  if (typeof part.file !== "string") return undefined;
  const options = Object.entries(group(part, "options")).map(([name, value]) => `${name} = ${value}`);
  return joined([part.file, ...options]);
}

function optimizer(opt: Json): string | undefined {
  if (typeof opt.file === "string") return fileOf(opt);
  return joined([className(opt), opt.beta2 === undefined ? undefined : `β₂ = ${text(opt.beta2)}`]);
}

function data(part: Json): string | undefined {
  if (part.class === "NoData") return undefined;
  if (typeof part.file === "string") return fileOf(part);
  const n = Number(part.n) > 0 ? `${text(part.n)} examples` : undefined;
  return joined([className(part), n, text(part.criterion)]);
}

function network(arch: Json): string | undefined {
  if (typeof arch.file === "string") return fileOf(arch);
  const width = arch.width === undefined ? undefined : `width ${text(arch.width)}`;
  return joined([className(arch), width, text(arch.activation)]);
}

function text(value: unknown): string | undefined {
  if (typeof value === "number") return plainNumber(value);
  return typeof value === "string" ? value : undefined;
}

function joined(parts: readonly (string | undefined)[]): string | undefined {
  return parts[0] === undefined ? undefined : parts.filter((part) => part !== undefined).join(", ");
}
