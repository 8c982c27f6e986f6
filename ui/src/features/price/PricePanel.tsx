import { lazy, Suspense, useEffect, useRef } from "react";
import type { Instrument } from "../../client/api";
import { useText } from "../../i18n/text";
import { price } from "../../lib/format";
import { PRICE_PANEL, select, useSelection } from "../../lib/selection";
import { useLive } from "../../live/hooks";
import { Panel } from "../../parts/Panel";
import { Change } from "../../parts/Values";
import { BookColumn } from "../book/BookColumn";

const PriceChart = lazy(() => import("./PriceChart"));

/** What is the price doing, and what did we do with it? */
export function PricePanel({ className = "" }: { className?: string }) {
  const t = useText();
  const instruments = useLive((state) => state.instruments);
  const status = useLive((state) => state.status);
  const quotes = useLive((state) => state.quotes);
  const { instrument: chosen } = useSelection();
  const first = instruments.find((found) => found.id === "BTCUSDT") ?? instruments[0];
  const instrument = instruments.find((found) => found.id === chosen) ?? first;
  if (status === null || instrument === undefined) {
    return (
      <Panel title={t("price.title")} className={className}>
        <div className="h-[360px] sm:h-[560px]" />
      </Panel>
    );
  }
  // Made-up prices must not carry the name of a real venue.
  const source = status.mode === "simulated" ? t("mode.simulated") : instrument.venue;
  const quote = quotes.get(instrument.id);
  return (
    <Panel
      title={`${instrument.id}, ${status.timeframe}, UTC, ${source}`}
      answer={price(quote?.last, instrument)}
      evidence={
        <>
          {instrument.quote} <Change value={quote?.day_change_percent} /> {t("price.today")}
        </>
      }
      anchor={PRICE_PANEL}
      actions={<InstrumentTabs instruments={instruments} chosen={instrument.id} />}
      className={className}
    >
      <div className={status.book ? "lg:grid lg:grid-cols-[minmax(0,1fr)_15rem] lg:gap-x-5" : ""}>
        <Suspense fallback={<div className="h-[404px] sm:h-[540px]" />}>
          <PriceChart
            key={[instrument.id, ...status.indicators.map((indicator) => indicator.label)].join()}
            instrument={instrument}
            timeframe={status.timeframe}
            indicators={status.indicators}
          />
        </Suspense>
        {status.book && (
          <BookColumn
            instrument={instrument}
            className="pt-4 lg:grid-cols-1 lg:grid-rows-[auto_minmax(0,1fr)] lg:pt-0"
          />
        )}
      </div>
    </Panel>
  );
}

function InstrumentTabs({ instruments, chosen }: { instruments: Instrument[]; chosen: string }) {
  const t = useText();
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const tab = list.current?.querySelector<HTMLElement>("[aria-pressed=true]");
    if (list.current !== null && tab) list.current.scrollLeft = tab.offsetLeft - list.current.offsetLeft - 40;
  }, [chosen]);
  return (
    <div
      ref={list}
      role="group"
      aria-label={t("instruments")}
      className="flex max-w-[calc(100vw-2rem)] overflow-x-auto text-base"
    >
      {instruments.map(({ id }) => (
        <button
          key={id}
          aria-pressed={id === chosen}
          onClick={() => select({ instrument: id })}
          className={`border-b-2 px-2 py-1 ${id === chosen ? "border-accent text-ink" : "border-transparent text-muted hover:text-ink"}`}
        >
          {id.replace(/USDT?$/, "")}
        </button>
      ))}
    </div>
  );
}
