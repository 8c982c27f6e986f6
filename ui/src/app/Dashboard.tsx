import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { api } from "../client/api";
import { AlertsPanel } from "../features/alerts/AlertsPanel";
import { EquityPanel } from "../features/equity/EquityPanel";
import { DisplayMenu } from "../features/header/DisplayMenu";
import { Header } from "../features/header/Header";
import { useFeed } from "../features/header/useFeed";
import { PositionsPanel } from "../features/positions/PositionsPanel";
import { PricePanel } from "../features/price/PricePanel";
import { RefusalsPanel } from "../features/refusals/RefusalsPanel";
import { SignalsPanel } from "../features/signals/SignalsPanel";
import { TradesPanel } from "../features/trades/TradesPanel";
import { useText } from "../i18n/text";
import { useLive } from "../live/hooks";
import { live } from "../live/store";
import { Boundary } from "../parts/Boundary";

const TOUCH_MS = 60_000;
const REFETCH_MS = 2_000;

/** Keeps the session alive while a person is at the page, not while only the page is open. */
function useKeepAlive(): void {
  useEffect(() => {
    let last = Date.now();
    const touch = () => {
      if (Date.now() - last < TOUCH_MS) return;
      last = Date.now();
      api.session().catch(() => undefined);
    };
    const events = ["pointerdown", "keydown", "wheel"] as const;
    for (const name of events) window.addEventListener(name, touch, { passive: true });
    return () => {
      for (const name of events) window.removeEventListener(name, touch);
    };
  }, []);
}

function useLiveMessages(): void {
  const client = useQueryClient();
  const connection = useLive((state) => state.connection);
  useEffect(() => {
    const asked = new Map<string, number>();
    live.onStaleCandles = (instruments) => {
      const now = Date.now();
      for (const instrument of instruments) {
        if (now - (asked.get(instrument) ?? 0) < REFETCH_MS) continue;
        asked.set(instrument, now);
        void client.invalidateQueries({ queryKey: ["candles", instrument] });
      }
    };
    live.onManyPoints = () => {
      api.equity().then(
        (series) => live.replaceEquity(series.points),
        () => undefined,
      );
    };
    return live.start();
  }, [client]);
  useEffect(() => {
    if (connection === "refused") void client.invalidateQueries({ queryKey: ["session"] });
    // A refused upgrade looks like a lost connection, so the session is asked for.
    if (connection === "lost") void client.invalidateQueries({ queryKey: ["session"] });
  }, [connection, client]);
}

function useTitle(): void {
  const t = useText();
  const mode = useLive((state) => state.status?.mode);
  const state = useLive((found) => found.status?.state);
  useEffect(() => {
    if (mode === undefined || state === undefined) return;
    document.title = `${t(`state.${state}`)}, ${t(`mode.${mode}`)} – Tidewright`;
  }, [mode, state, t]);
}

/** The first page. */
export default function Dashboard() {
  const t = useText();
  useKeepAlive();
  useLiveMessages();
  useTitle();
  const connection = useLive((state) => state.connection);
  const feed = useFeed();
  const stale = connection === "lost" || feed.stale;
  return (
    <>
      <Header />
      <Boundary
        fallback={(error, retry) => (
          <p role="alert" className="p-4">
            {t("error.panel", { reason: error.message })}{" "}
            <button className="underline" onClick={retry}>
              {t("retry")}
            </button>
          </p>
        )}
      >
        <main
          className={`mx-auto flex max-w-[1680px] flex-col gap-7 px-4 py-4 lg:grid lg:grid-cols-[minmax(0,1fr)_minmax(20rem,26rem)] lg:gap-0 ${stale ? "stale" : ""}`}
        >
          <div className="contents lg:flex lg:flex-col lg:gap-7 lg:pr-6">
            <PricePanel className="order-3" />
            <EquityPanel className="order-4" />
            <TradesPanel className="order-7" />
          </div>
          <div className="contents lg:flex lg:flex-col lg:gap-7 lg:border-l lg:border-line lg:pl-6">
            <PositionsPanel className="order-1" />
            <AlertsPanel className="order-2 lg:order-4" />
            <SignalsPanel className="order-5 lg:order-2" />
            <RefusalsPanel className="order-6 lg:order-3" />
          </div>
        </main>
        <footer className="mx-auto flex max-w-[1680px] items-center justify-between gap-4 px-4 pb-4 text-small text-muted">
          <a className="underline" href="https://www.tradingview.com/" rel="noreferrer" target="_blank">
            {t("credit")}
          </a>
          <div className="sm:hidden">
            <DisplayMenu up />
          </div>
        </footer>
      </Boundary>
    </>
  );
}
