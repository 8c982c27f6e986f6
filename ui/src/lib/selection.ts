import { useSyncExternalStore } from "react";

/** What the person looks at: an instrument, and perhaps one trade of it. */
export interface Selection {
  instrument: string | null;
  trade: number | null;
}

/** Where the chosen trade is drawn. */
export const PRICE_PANEL = "price";

let selection: Selection = { instrument: null, trade: null };
const listeners = new Set<() => void>();

export function select(change: Partial<Selection>): void {
  selection = { ...selection, trade: null, ...change };
  for (const listener of listeners) listener();
  if (change.trade === undefined || change.trade === null) return;
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  document
    .getElementById(PRICE_PANEL)
    ?.scrollIntoView({ block: "start", behavior: calm ? "auto" : "smooth" });
}

export function useSelection(): Selection {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => selection,
  );
}
