import { createHash } from "node:crypto";
import { RowBytes, type StepRow } from "../simulation/index.ts";

/**
 * The running hash of a run's rows: each row's hash covers all before it, SHA-256 of the hash so far and the row's
 * numbers (`RowBytes`: times and padding left out). Two runs that log the same bits have the same, on any machine.
 */
export class RowDigest {
  private hash: Uint8Array;
  private readonly bytes = new RowBytes();

  /** @param from the value to go on from; default: no rows yet */
  constructor(from = "0".repeat(64)) {
    this.hash = Buffer.from(from, "hex");
  }

  /** Takes up the next row. */
  add(row: StepRow): void {
    this.hash = createHash("sha256").update(this.hash).update(this.bytes.of(row)).digest();
  }

  /** 64 hexadecimal digits; zeros before the first row. */
  get value(): string {
    return Buffer.from(this.hash).toString("hex");
  }
}
