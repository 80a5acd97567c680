import { Extents, type OpenArchive, RowDigest } from "../record/index.ts";
import type { StepRow } from "../simulation/index.ts";
import { LastValues } from "./outcome.ts";

/** What is known of the rows that a run has, gathered row by row. */
export class RowStock {
  readonly extents: Extents;
  readonly digest: RowDigest;
  readonly last: LastValues;
  /** Digests before rows. */
  private readonly digests = new Map<number, string>();
  private readonly wanted: ReadonlySet<number>;
  private rowCount: number;

  /**
   * @param wanted indices of rows before which the digest is to be kept
   * @param archived has the first rows, which are not read
   */
  constructor(wanted: ReadonlySet<number> = new Set(), archived?: OpenArchive) {
    this.wanted = wanted;
    const archive = archived?.archive;
    this.rowCount = archive?.rows ?? 0;
    this.extents = new Extents(archived?.stored.extents);
    this.last = new LastValues(archive?.summary);
    this.digests.set(0, new RowDigest().value);
    for (const [index, digest] of Object.entries(archive?.digests ?? {}))
      this.digests.set(Number(index), digest);
    this.digest = new RowDigest(this.digests.get(this.rowCount));
  }

  /** Takes in the rows that a run has. */
  add(row: StepRow): void {
    this.extents.add(row);
    this.last.add(row);
    this.digest.add(row);
    this.rowCount++;
    if (this.wanted.has(row.index + 1)) this.digests.set(row.index + 1, this.digest.value);
  }

  /** The digest of the rows before `index`. @param rows gives these rows again: they are read where it was not wanted */
  digestBefore(index: number, rows: () => Iterable<StepRow>): string {
    const known = index === this.rowCount ? this.digest.value : this.digests.get(index);
    if (known !== undefined) return known;
    const digest = new RowDigest();
    for (const row of rows()) digest.add(row);
    return digest.value;
  }
}
