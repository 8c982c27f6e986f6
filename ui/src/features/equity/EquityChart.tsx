import {
  AreaSeries,
  LineSeries,
  LineStyle,
  type IChartApi,
  type ISeriesApi,
} from "lightweight-charts";
import { useEffect, useRef, useState } from "react";
import { chartOptions, makeChart, MONEY_FORMAT, milliseconds, saveImage, seconds } from "../../charts/base";
import type { EquityPoint } from "../../client/api";
import { useText } from "../../i18n/text";
import { tokens, useDisplay } from "../../lib/display";
import { absolute, change, money, saveCsv } from "../../lib/format";
import { useLive } from "../../live/hooks";

interface Parts {
  chart: IChartApi;
  equity: ISeriesApi<"Line">;
  holding: ISeriesApi<"Line">;
  drawdown: ISeriesApi<"Area">;
  drawn: EquityPoint[];
}

function make(element: HTMLElement): Parts & { remove: () => void } {
  const { chart, remove } = makeChart(element);
  // The whole run must fit, also on a phone: thousands of points.
  chart.timeScale().applyOptions({ minBarSpacing: 0.02 });
  const quiet = { priceLineVisible: false, lastValueVisible: false };
  const drawdown = chart.addSeries(
    AreaSeries,
    {
      ...quiet,
      lineWidth: 1,
      priceFormat: { type: "custom", minMove: 0.01, formatter: (value: number) => change(value) },
    },
    1,
  );
  const holding = chart.addSeries(LineSeries, { ...quiet, lineWidth: 1, lineStyle: LineStyle.Dashed, priceFormat: MONEY_FORMAT }, 0);
  const equity = chart.addSeries(LineSeries, { ...quiet, lineWidth: 2, lastValueVisible: true, priceFormat: MONEY_FORMAT }, 0);
  chart.panes().forEach((pane, index) => pane.setStretchFactor(index === 0 ? 3 : 1));
  return { chart, equity, holding, drawdown, drawn: [], remove };
}

function colour(parts: Parts): void {
  const { accent, muted, down } = tokens();
  parts.chart.applyOptions(chartOptions());
  parts.equity.applyOptions({ color: accent });
  parts.holding.applyOptions({ color: muted });
  parts.drawdown.applyOptions({ lineColor: down, topColor: `${down}10`, bottomColor: `${down}55`, invertFilledArea: true });
}

const value = (point: EquityPoint, key: "equity" | "benchmark" | "drawdown_percent") => ({
  time: seconds(point.time_ms),
  value: point[key],
});

/** The chart knows whole seconds and takes each once: of the points of a second the last stays. */
function bySecond(points: EquityPoint[]): EquityPoint[] {
  const kept: EquityPoint[] = [];
  for (const point of points) {
    const last = kept.at(-1);
    if (last === undefined || seconds(point.time_ms) > seconds(last.time_ms)) kept.push(point);
    else kept[kept.length - 1] = point;
  }
  return kept;
}

/** Add what is new; begin again when the series was thinned. */
function draw(parts: Parts, series: EquityPoint[]): void {
  const points = bySecond(series);
  const known = parts.drawn.length;
  const newest = parts.drawn[known - 1];
  const grown =
    newest !== undefined &&
    points[0]?.time_ms === parts.drawn[0]?.time_ms &&
    points[known - 1]?.time_ms === newest.time_ms;
  const scale = parts.chart.timeScale();
  // Who zoomed in keeps the place; everyone else sees the whole run grow.
  const whole = !grown || (scale.getVisibleLogicalRange()?.from ?? 0) <= 1;
  if (grown) {
    for (const point of points.slice(known - 1)) {
      parts.equity.update(value(point, "equity"));
      parts.holding.update(value(point, "benchmark"));
      parts.drawdown.update(value(point, "drawdown_percent"));
    }
  } else {
    parts.equity.setData(points.map((point) => value(point, "equity")));
    parts.holding.setData(points.map((point) => value(point, "benchmark")));
    parts.drawdown.setData(points.map((point) => value(point, "drawdown_percent")));
  }
  if (whole) scale.fitContent();
  parts.drawn = points;
}

/** Equity and holding over drawdown, on one time axis. */
export default function EquityChart({ currency }: { currency: string }) {
  const t = useText();
  const { theme, palette } = useDisplay();
  const points = useLive((state) => state.equity);
  const holder = useRef<HTMLDivElement>(null);
  const [parts, setParts] = useState<Parts | null>(null);
  const [hovered, setHovered] = useState<EquityPoint | null>(null);

  useEffect(() => {
    if (holder.current === null) return;
    const made = make(holder.current);
    made.chart.subscribeCrosshairMove((event) => {
      const time = event.time === undefined ? null : milliseconds(event.time);
      const found = made.drawn.find((point) => seconds(point.time_ms) * 1000 === time);
      setHovered(time === null ? null : (found ?? null));
    });
    setParts(made);
    return () => {
      setParts(null);
      made.remove();
    };
  }, []);
  useEffect(() => {
    if (parts !== null) colour(parts);
  }, [parts, theme, palette]);
  useEffect(() => {
    if (parts !== null) draw(parts, points);
  }, [parts, points]);

  const shown = hovered ?? points.at(-1);
  const csv = () =>
    saveCsv("equity.csv", [
      ["time_utc", "equity", "holding", "drawdown_percent"],
      ...points.map((point) => [
        new Date(point.time_ms).toISOString(),
        point.equity,
        point.benchmark,
        point.drawdown_percent,
      ]),
    ]);
  return (
    <div>
      <div className="flex flex-wrap gap-x-3 text-small text-muted">
        <Swatch name={t("equity.strategy")} text={money(shown?.equity)} className="border-t-2 border-accent" />
        <Swatch name={t("equity.holding")} text={money(shown?.benchmark)} hint={t("equity.holding.hint")} className="border-t border-dashed border-muted" />
        <Swatch name={t("equity.drawdown")} text={change(shown?.drawdown_percent)} hint={t("equity.drawdown.hint")} className="border-t-2 border-down" />
        {hovered !== null && <span>{absolute(hovered.time_ms)}</span>}
        <span className="ml-auto flex gap-3">
          <button className="underline" onClick={() => parts && saveImage(parts.chart, "equity.png")}>
            {t("save.image")}
          </button>
          <button className="underline" onClick={csv}>
            {t("save.csv")}
          </button>
        </span>
      </div>
      <div className="relative">
        <div
          ref={holder}
          tabIndex={0}
          role="img"
          aria-label={t("equity.chart", { currency })}
          data-testid="equity-chart"
          data-points={points.length}
          className="h-[280px] w-full sm:h-[clamp(220px,calc(100vh-680px),320px)]"
        />
        {points.length === 0 && (
          <p className="absolute inset-0 z-10 grid place-items-center text-muted">{t("equity.none")}</p>
        )}
      </div>
    </div>
  );
}

interface SwatchProps {
  name: string;
  text: string;
  className: string;
  hint?: string;
}

function Swatch({ name, text, className, hint }: SwatchProps) {
  return (
    <span title={hint}>
      <span aria-hidden="true" className={`mr-1 inline-block w-3 align-middle ${className}`} />
      {name} <span className="text-ink">{text}</span>
    </span>
  );
}
