/** Hands out ranges of one region and takes them back: first the smallest free range that fits, else the end grows. */
export class RegionAllocator {
  private end = 0;
  private readonly free: { offset: number; size: number }[] = [];

  /** The largest extent so far, in entries. */
  get size(): number {
    return this.end;
  }

  take(size: number): number {
    let best = -1;
    for (let i = 0; i < this.free.length; i++)
      if (this.free[i].size >= size && (best < 0 || this.free[i].size < this.free[best].size)) best = i;
    if (best >= 0) {
      const range = this.free[best];
      const { offset } = range;
      if (range.size === size) this.free.splice(best, 1);
      else {
        range.offset += size;
        range.size -= size;
      }
      return offset;
    }
    const last = this.free[this.free.length - 1];
    if (last && last.offset + last.size === this.end) {
      this.free.pop();
      this.end = last.offset + size;
      return last.offset;
    }
    const offset = this.end;
    this.end += size;
    return offset;
  }

  give(offset: number, size: number): void {
    if (size === 0) return;
    let i = this.free.findIndex((range) => range.offset > offset);
    if (i < 0) i = this.free.length;
    this.free.splice(i, 0, { offset, size });
    this.join(i);
    if (i > 0) this.join(i - 1);
  }

  private join(i: number): void {
    const here = this.free[i];
    const next = this.free[i + 1];
    if (next && here.offset + here.size === next.offset) {
      here.size += next.size;
      this.free.splice(i + 1, 1);
    }
  }
}
