/** A value that tells those who watch it when it has changed; they are told once a frame, however often it does. */
export class Signal<T> {
  private held: T;
  private readonly watchers: ((value: T) => void)[] = [];
  private due = false;

  constructor(value: T) {
    this.held = value;
  }

  get value(): T {
    return this.held;
  }

  set value(next: T) {
    this.held = next;
    if (this.due) return;
    this.due = true;
    const tell = (): void => {
      if (!this.due) return;
      this.due = false;
      for (const watcher of this.watchers) watcher(this.held);
    };
    // A page that is not seen has no frames; what it tells may come late, not never.
    if (document.hidden) setTimeout(tell, 250);
    else requestAnimationFrame(tell);
  }

  /** Calls back now, and whenever the value has changed. */
  watch(watcher: (value: T) => void): void {
    this.watchers.push(watcher);
    watcher(this.held);
  }
}
