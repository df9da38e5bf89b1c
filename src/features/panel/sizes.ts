import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';
import type { AccordionPanel, Widget } from '@lumino/widgets';

/**
 * Share a height among sections: each gets what it needs when that is less than
 * its share; what it leaves goes to the others, and the rest to the last one.
 *
 * @param available the height to share
 * @param needs what each section would like; 0 for one that is closed
 * @param weights how much of it each may claim when there is not enough
 */
export function shareHeight(
  available: number,
  needs: readonly number[],
  weights: readonly number[]
): number[] {
  const sizes = needs.map(() => 0);
  const waiting = new Set(needs.keys());
  needs.forEach((need, index) => need <= 0 && waiting.delete(index));
  let left = available;
  let settled = true;
  while (waiting.size > 0 && settled) {
    settled = false;
    const total = sum([...waiting].map(index => weights[index]));
    const unit = left / total;
    for (const index of [...waiting]) {
      if (needs[index] <= unit * weights[index]) {
        sizes[index] = needs[index];
        left -= needs[index];
        waiting.delete(index);
        settled = true;
      }
    }
  }
  const total = sum([...waiting].map(index => weights[index]));
  for (const index of waiting) {
    sizes[index] = (left * weights[index]) / total;
  }
  const last = needs.reduce(
    (found, need, index) => (need > 0 ? index : found),
    -1
  );
  if (waiting.size === 0 && last >= 0) {
    sizes[last] += left;
  }
  return sizes;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** How much more the section that was asked for may claim. */
const FAVOUR = 3;

/**
 * Gives the open sections of an accordion the heights that suit what they
 * show, until the user moves a handle and so takes over.
 */
export class SectionSizer implements IDisposable {
  constructor(
    private readonly _accordion: AccordionPanel,
    private readonly _weights: readonly number[]
  ) {
    this._observer = new ResizeObserver(() => this.fit());
    this._observer.observe(_accordion.node);
    _accordion.handleMoved.connect(this._onHandle, this);
    _accordion.expansionToggled.connect(this.fit, this);
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Follow the height of what a section shows. */
  watch(content: Widget): void {
    this._observer.observe(content.node);
  }

  /** Let a section claim most of the height: the user asked for it. */
  favour(index: number): void {
    this._favourite = index;
    this.fit();
  }

  /** Share the height anew. */
  fit(): void {
    const { widgets, titles } = this._accordion;
    const available =
      this._accordion.node.clientHeight -
      sum(titles.map(title => title.offsetHeight));
    if (this._byHand || this._isDisposed || available <= 0) {
      return;
    }
    const needs = widgets.map(section =>
      section.isHidden ? 0 : Math.max(1, contentHeight(section))
    );
    const weights = this._weights.map((weight, index) =>
      index === this._favourite ? weight * FAVOUR : weight
    );
    const sizes = shareHeight(available, needs, weights);
    this._accordion.setRelativeSizes(sizes);
  }

  dispose(): void {
    this._isDisposed = true;
    this._observer.disconnect();
    Signal.clearData(this);
  }

  private _onHandle(): void {
    this._byHand = true;
  }

  private readonly _observer: ResizeObserver;
  private _favourite = 0;
  private _byHand = false;
  private _isDisposed = false;
}

function contentHeight(section: Widget): number {
  return sum(
    [...section.node.children].map(child => (child as HTMLElement).offsetHeight)
  );
}
