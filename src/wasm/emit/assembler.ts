/**
 * A small assembler for WebAssembly's binary format (WebAssembly Core Specification 2.0, chapter 5). Code is a list
 * of bytes; an instruction is a function from the code of its operands to code, so expressions nest like formulas and
 * the engine's validator finds what does not fit.
 */

/** Instructions in order. An expression leaves one value on the stack, a statement none. */
export type Code = readonly number[];

/** The value types that kernels use, as the binary format writes them. */
export const TYPES = { i32: 0x7f, f64: 0x7c, v128: 0x7b } as const;
/** A value type. */
export type ValueType = keyof typeof TYPES;

/** Unsigned LEB128. */
export function unsigned(value: number): Code {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return [...bytes, rest];
}

/** Signed LEB128 of a 32-bit integer. */
export function signed(value: number): Code {
  const bytes: number[] = [];
  let rest = value | 0;
  for (;;) {
    const byte = rest & 127;
    rest >>= 7;
    if ((rest === 0 && byte < 64) || (rest === -1 && byte >= 64)) return [...bytes, byte];
    bytes.push(byte | 128);
  }
}

const doubles = new DataView(new ArrayBuffer(8));

/** The eight bytes of a double, lowest first. */
export function doubleBytes(value: number): Code {
  doubles.setFloat64(0, value, true);
  return Array.from({ length: 8 }, (_, i) => doubles.getUint8(i));
}

const vector = (items: readonly Code[]): Code => [...unsigned(items.length), ...items.flat()];
const section = (id: number, body: Code): Code => [id, ...unsigned(body.length), ...body];
const text = (name: string): Code => vector([...name].map((letter) => [letter.charCodeAt(0)]));

/** A local variable or parameter. */
export interface Local {
  readonly get: Code;
  set(value: Code): Code;
  /** Sets and leaves the value on the stack. */
  tee(value: Code): Code;
}

function local(index: number): Local {
  const at = unsigned(index);
  return {
    get: [0x20, ...at],
    set: (value) => [...value, 0x21, ...at],
    tee: (value) => [...value, 0x22, ...at],
  };
}

/** The variables of a function body that is being written. */
export class Scope {
  readonly parameters: readonly Local[];
  private readonly types: ValueType[] = [];
  private readonly arity: number;

  constructor(arity: number) {
    this.arity = arity;
    this.parameters = Array.from({ length: arity }, (_, i) => local(i));
  }

  local(type: ValueType): Local {
    this.types.push(type);
    return local(this.arity + this.types.length - 1);
  }

  locals(type: ValueType, count: number): Local[] {
    return Array.from({ length: count }, () => this.local(type));
  }

  /** How the binary format declares them. */
  declarations(): Code {
    return vector(this.types.map((type) => [1, TYPES[type]]));
  }
}

interface Signature {
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
}

interface Callee {
  readonly name: string;
  readonly type: number;
  readonly body?: Code;
}

/** The type of a table's entries: references to functions. */
const FUNCTIONS = 0x70;

/** The value of `env.base`: where the thread that runs the module has its own header in the memory, in bytes. */
export const base: Code = [0x23, 0x00];

/** Most pages that a memory can have: 4 GiB. */
export const MOST_PAGES = 65536;

/**
 * One module: it imports the memory `env.memory`, the number `env.base` and perhaps functions of `env` or the table of
 * functions `env.table`, and exports every function of its own under its name.
 */
export class ModuleWriter {
  private readonly types: Signature[] = [];
  private readonly imported: Callee[] = [];
  private readonly defined: Callee[] = [];
  private usesTable = false;

  /** Declares an import; all imports come before the first function. Returns how to call it. */
  importFunction(name: string, parameters: readonly ValueType[], results: readonly ValueType[]): Caller {
    this.imported.push({ name, type: this.typeOf({ parameters, results }) });
    return caller(this.imported.length - 1);
  }

  /** Adds a function of i32 parameters without a result; `write` gives its body. Returns how to call it. */
  function(name: string, arity: number, write: (scope: Scope, ...parameters: Local[]) => Code): Caller {
    const scope = new Scope(arity);
    const body = write(scope, ...scope.parameters);
    const code = [...scope.declarations(), ...body, 0x0b];
    const type = this.typeOf({ parameters: new Array(arity).fill("i32"), results: [] });
    this.defined.push({ name, type, body: [...unsigned(code.length), ...code] });
    return caller(this.imported.length + this.defined.length - 1);
  }

  /** Calls the function at a place of `env.table`, one without parameters and results. */
  callInTable(place: Code): Code {
    this.usesTable = true;
    return [...place, 0x11, ...unsigned(this.typeOf({ parameters: [], results: [] })), 0x00];
  }

  /** @param shared whether for memories that threads share */
  bytes(shared: boolean): Uint8Array<ArrayBuffer> {
    const kinds = (types: readonly ValueType[]): Code => vector(types.map((type) => [TYPES[type]]));
    const limits = shared ? [0x03, 0, ...unsigned(MOST_PAGES)] : [0x00, 0];
    const memory = [...text("env"), ...text("memory"), 0x02, ...limits];
    const base = [...text("env"), ...text("base"), 0x03, TYPES.i32, 0x00];
    const table = this.usesTable ? [[...text("env"), ...text("table"), 0x01, FUNCTIONS, 0x00, 0x00]] : [];
    const imports = this.imported.map(({ name, type }) => [
      ...text("env"),
      ...text(name),
      0x00,
      ...unsigned(type),
    ]);
    const exports = this.defined.map(({ name }, i) => [
      ...text(name),
      0x00,
      ...unsigned(this.imported.length + i),
    ]);
    return Uint8Array.from([
      ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
      ...section(
        1,
        vector(this.types.map(({ parameters, results }) => [0x60, ...kinds(parameters), ...kinds(results)])),
      ),
      ...section(2, vector([...imports, ...table, memory, base])),
      ...section(3, vector(this.defined.map(({ type }) => unsigned(type)))),
      ...section(7, vector(exports)),
      ...section(10, vector(this.defined.map(({ body }) => body as Code))),
    ]);
  }

  private typeOf(signature: Signature): number {
    const key = JSON.stringify(signature);
    const known = this.types.findIndex((type) => JSON.stringify(type) === key);
    return known >= 0 ? known : this.types.push(signature) - 1;
  }
}

/** The call of a function with the code of its arguments. */
export type Caller = (...values: readonly Code[]) => Code;

const caller =
  (index: number): Caller =>
  (...values) => [...values.flat(), 0x10, ...unsigned(index)];

const VOID = 0x40;

/** Statements if a condition holds. */
export function when(condition: Code, then: readonly Code[], otherwise?: readonly Code[]): Code {
  const tail = otherwise ? [0x05, ...otherwise.flat()] : [];
  return [...condition, 0x04, VOID, ...then.flat(), ...tail, 0x0b];
}

/** Statements at least once, and again while the condition holds after them. */
export function repeatWhile(statements: readonly Code[], condition: Code): Code {
  return [0x03, VOID, ...statements.flat(), ...condition, 0x0d, 0x00, 0x0b];
}

/** Statements while the condition holds before them. */
export function loopWhile(condition: Code, statements: readonly Code[]): Code {
  return when(condition, [repeatWhile(statements, condition)]);
}

/** Statements that `leaveIf` can leave. */
export function block(...statements: readonly Code[]): Code {
  return [0x02, VOID, ...statements.flat(), 0x0b];
}

/** Leaves a block from inside `depth` loops or conditions, if the condition holds. */
export function leaveIf(condition: Code, depth: number): Code {
  return [...condition, 0x0d, ...unsigned(depth)];
}
