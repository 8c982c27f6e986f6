import { timeframeMs } from "../../lib/format";
import { useLive, useServerNow } from "../../live/hooks";

export interface Feed {
  ageMs: number | null;
  stale: boolean;
  live: boolean;
  receivedMs: number | null;
}

const PATIENCE_MS = 15_000;

/** How old the newest input is, and whether that is too old. */
export function useFeed(): Feed {
  const status = useLive((state) => state.status);
  const now = useServerNow();
  const receivedMs = status?.feed_received_ms ?? null;
  const live = status?.feed_live ?? false;
  if (status === null || receivedMs === null) return { ageMs: null, stale: false, live, receivedMs };
  const ageMs = Math.max(0, now - receivedMs);
  const limit = PATIENCE_MS + 2.5 * timeframeMs(status.timeframe);
  return { ageMs, stale: !live || ageMs > limit, live, receivedMs };
}
