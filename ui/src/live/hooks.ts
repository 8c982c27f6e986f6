import { useEffect, useState, useSyncExternalStore } from "react";
import { live, type LiveState } from "./store";

/** Read one part of the live state; the component renders again only when that part changes. */
export function useLive<T>(part: (state: LiveState) => T): T {
  return useSyncExternalStore(live.subscribe, () => part(live.getState()));
}

/** The server's wall clock in milliseconds, renewed at the given interval. */
export function useServerNow(interval = 1000): number {
  const offset = useLive((state) => state.clockOffset);
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), interval);
    return () => window.clearInterval(timer);
  }, [interval]);
  return now + offset;
}

/** Time of the market's last input; simulated markets have their own. */
export function useMarketTime(): number | null {
  return useLive((state) => state.status?.market_time_ms ?? null);
}
