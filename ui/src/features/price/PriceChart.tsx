import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { saveImage } from "../../charts/base";
import { api, type Candle, type Instrument, type Status } from "../../client/api";
import { useText } from "../../i18n/text";
import { useDisplay } from "../../lib/display";
import { price, quantity, reading, saveCsv } from "../../lib/format";
import { useSelection } from "../../lib/selection";
import { useLive } from "../../live/hooks";
import { live } from "../../live/store";
import { PriceController } from "./controller";

const BARS = 1000;

interface Props {
  instrument: Instrument;
  timeframe: string;
  indicators: Status["indicators"];
}

/** The price chart of one instrument with its legend. */
export default function PriceChart({ instrument, timeframe, indicators }: Props) {
  const t = useText();
  const holder = useRef<HTMLDivElement>(null);
  const [chart, setChart] = useState<PriceController | null>(null);
  const [candle, setCandle] = useState<Candle | null>(null);
  const [newest, setNewest] = useState(0);
  const query = useCandles(chart, instrument);
  const marks = useLive(
    (state) => state.fills.filter((fill) => fill.instrument === instrument.id).length,
  );

  useEffect(() => {
    if (holder.current === null) return;
    const made = new PriceController(holder.current, instrument, indicators);
    made.onCandle = setCandle;
    made.onNewest = setNewest;
    setChart(made);
    return () => {
      setChart(null);
      made.remove();
    };
    // The panel's key makes a new chart for another instrument or strategy.
  }, []);

  useTradesOn(chart, instrument, query.dataUpdatedAt);
  useColours(chart);

  return (
    <div>
      <Legend chart={chart} candle={candle} instrument={instrument} indicators={indicators} />
      <div className="relative">
        <div
          ref={holder}
          tabIndex={0}
          role="img"
          aria-label={t("price.chart", { instrument: instrument.id, timeframe })}
          data-testid="price-chart"
          data-bars={newest}
          data-marks={marks}
          className="h-[360px] w-full sm:h-[clamp(380px,calc(100vh-520px),520px)]"
        />
        {query.isSuccess && query.data.rows.length === 0 && candle === null && (
          <p className="absolute inset-0 z-10 grid place-items-center text-muted">{t("price.none")}</p>
        )}
        {query.isError && (
          <p role="alert" className="absolute inset-x-0 top-0 z-10 bg-raised p-2">
            {t("error.panel", { reason: query.error.message })}{" "}
            <button className="underline" onClick={() => void query.refetch()}>
              {t("retry")}
            </button>
          </p>
        )}
      </div>
    </div>
  );
}

function useCandles(chart: PriceController | null, instrument: Instrument) {
  const epoch = useLive((state) => state.epoch);
  const query = useQuery({
    queryKey: ["candles", instrument.id, epoch],
    queryFn: () => api.candles(instrument.id, BARS),
    enabled: epoch > 0,
    staleTime: 0,
    gcTime: 0,
  });
  useEffect(() => {
    if (chart === null || query.data === undefined) return;
    chart.setCandles([...query.data.rows]);
    chart.addCandles(live.recentBars(instrument.id), undefined);
    return live.subscribeBars((name, bars, forming) => {
      if (name === instrument.id) chart.addCandles(bars, forming);
    });
  }, [chart, query.data, instrument.id]);
  return query;
}

function useTradesOn(chart: PriceController | null, instrument: Instrument, candlesAt: number): void {
  const t = useText();
  const { theme, palette } = useDisplay();
  const fills = useLive((state) => state.fills);
  const trades = useLive((state) => state.trades);
  const positions = useLive((state) => state.positions);
  const { trade: chosen } = useSelection();
  const prices = positions
    .filter((position) => position.instrument === instrument.id)
    .map((position) => `${position.entry_price} ${position.stop_price} ${position.target_price}`)
    .join();

  useEffect(() => {
    const mine = <T extends { instrument: string }>(items: T[]) =>
      items.filter((item) => item.instrument === instrument.id);
    chart?.setTrades(mine(fills), mine(trades), chosen);
  }, [chart, fills, trades, chosen, instrument.id, candlesAt, theme, palette]);

  useEffect(() => {
    const held = positions.filter((position) => position.instrument === instrument.id);
    const words = { entry: t("price.entry"), stop: t("price.stop"), target: t("price.target") };
    chart?.setPositions(held, words);
    // Positions come anew with every message; lines change only with their prices.
  }, [chart, prices, instrument.id, theme, palette]);

  useEffect(() => {
    const found = trades.find((trade) => trade.id === chosen && trade.instrument === instrument.id);
    if (found !== undefined) chart?.showTrade(found);
  }, [chart, chosen, instrument.id, candlesAt]);
}

function useColours(chart: PriceController | null): void {
  const { theme, palette } = useDisplay();
  useEffect(() => chart?.recolour(), [chart, theme, palette]);
}

interface LegendProps {
  chart: PriceController | null;
  candle: Candle | null;
  instrument: Instrument;
  indicators: Status["indicators"];
}

function Legend({ chart, candle, instrument, indicators }: LegendProps) {
  const t = useText();
  const shown = (value: number | undefined) => price(value, instrument);
  const cells: [string, string][] = [
    [t("price.open"), shown(candle?.open)],
    [t("price.high"), shown(candle?.high)],
    [t("price.low"), shown(candle?.low)],
    [t("price.close"), shown(candle?.close)],
    [`${t("price.volume")}, ${instrument.base}`, quantity(candle?.volume, instrument)],
  ];
  return (
    <div className="flex min-h-11 flex-wrap items-baseline gap-x-3 text-small text-muted sm:min-h-5">
      {cells.map(([name, value]) => (
        <span key={name}>
          {name} <span className="text-ink">{value}</span>
        </span>
      ))}
      {indicators.map(({ label, pane }) => (
        <span key={label}>
          <span
            aria-hidden="true"
            className="mr-1 inline-block h-0.5 w-3 align-middle"
            style={{ background: chart?.indicatorColour(label) }}
          />
          {label}{" "}
          <span className="text-ink">
            {pane === "price" ? shown(candle?.columns[label] ?? undefined) : reading(candle?.columns[label])}
          </span>
        </span>
      ))}
      <span className="ml-auto flex gap-3">
        <button className="underline" onClick={() => chart && saveImage(chart.chart, `${chart.name}.png`)}>
          {t("save.image")}
        </button>
        <button className="underline" onClick={() => chart && saveCsv(`${chart.name}.csv`, chart.csv())}>
          {t("save.csv")}
        </button>
      </span>
    </div>
  );
}
