import {
  CandlestickSeries,
  createSeriesMarkers,
  HistogramSeries,
  LineSeries,
  LineStyle,
  type AutoscaleInfo,
  type IChartApi,
  type IPriceLine,
  type ISeriesApi,
  type ISeriesMarkersPluginApi,
  type PriceFormatCustom,
  type SeriesMarker,
  type Time,
  type UTCTimestamp,
} from "lightweight-charts";
import { chartOptions, makeChart, milliseconds, seconds } from "../../charts/base";
import { TradeLines } from "../../charts/tradeLines";
import type { Candle, Fill, Instrument, Position, Status, Trade } from "../../client/api";
import { tokens } from "../../lib/display";
import { price, reading } from "../../lib/format";

type Indicator = Status["indicators"][number];

export interface Words {
  entry: string;
  stop: string;
  target: string;
}

const WARM = 120;

/** Values of any size, such as an RSI of 47 or an ATR of 0.0012. */
const READING: PriceFormatCustom = { type: "custom", minMove: 1e-8, formatter: reading };

/** Owns the price chart: candles, volume, the strategy's indicators, trades, stops and targets. */
export class PriceController {
  readonly chart: IChartApi;
  private readonly candles: ISeriesApi<"Candlestick">;
  private readonly volume: ISeriesApi<"Histogram">;
  private readonly lines = new Map<string, ISeriesApi<"Line">>();
  private readonly markers: ISeriesMarkersPluginApi<Time>;
  private readonly tradeLines = new TradeLines();
  private readonly removeChart: () => void;
  private priceLines: IPriceLine[] = [];
  private levels: number[] = [];
  private bars: Candle[] = [];
  private hovering = false;
  private colour = tokens();
  /** Called with the candle under the crosshair, or the last one. */
  onCandle: (candle: Candle | null) => void = () => {};
  /** Called with the open time of the newest bar drawn, milliseconds. */
  onNewest: (timeMs: number) => void = () => {};

  constructor(
    element: HTMLElement,
    private readonly instrument: Instrument,
    private readonly indicators: Indicator[],
  ) {
    const { chart, remove } = makeChart(element);
    this.chart = chart;
    this.removeChart = remove;
    const decimals = instrument.price_decimals;
    const priceFormat: PriceFormatCustom = {
      type: "custom",
      minMove: 10 ** -decimals,
      formatter: (value: number) => price(value, instrument),
    };
    this.candles = chart.addSeries(
      CandlestickSeries,
      { priceFormat, autoscaleInfoProvider: (range: () => AutoscaleInfo | null) => this.withLevels(range()) },
      0,
    );
    this.volume = chart.addSeries(
      HistogramSeries,
      { priceFormat: { type: "volume" }, lastValueVisible: false, priceLineVisible: false },
      1,
    );
    this.addIndicators(priceFormat);
    this.markers = createSeriesMarkers(this.candles, [], { autoScale: false });
    this.candles.attachPrimitive(this.tradeLines);
    chart.subscribeCrosshairMove((event) => {
      const time = event.time === undefined ? null : milliseconds(event.time);
      this.hovering = time !== null;
      const found = time === null ? this.bars.at(-1) : this.bars.find((bar) => bar.time_ms === time);
      this.onCandle(found ?? null);
    });
    this.sharePanes();
    this.recolour();
  }

  private addIndicators(priceFormat: PriceFormatCustom): void {
    let own = 2;
    for (const { label, pane } of this.indicators) {
      const place = pane === "price" ? 0 : pane === "volume" ? 1 : own++;
      const format = pane === "price" ? { priceFormat } : pane === "own" ? { priceFormat: READING } : {};
      const series = this.chart.addSeries(
        LineSeries,
        { ...format, lineWidth: 1, lastValueVisible: pane !== "price", priceLineVisible: false, crosshairMarkerVisible: false },
        place,
      );
      this.lines.set(label, series);
    }
  }

  private sharePanes(): void {
    this.chart.panes().forEach((pane, index) => pane.setStretchFactor(index === 0 ? 5 : 1.1));
  }

  /** Keep entry, stop and target in sight unless they would flatten the candles. */
  private withLevels(info: AutoscaleInfo | null): AutoscaleInfo | null {
    if (info === null || info.priceRange === null || this.levels.length === 0) return info;
    const { minValue, maxValue } = info.priceRange;
    const reach = maxValue - minValue;
    const near = this.levels.filter((level) => level > minValue - reach && level < maxValue + reach);
    const priceRange = {
      minValue: Math.min(minValue, ...near),
      maxValue: Math.max(maxValue, ...near),
    };
    return { ...info, priceRange };
  }

  /** Colour of an indicator's line; the same in the legend. */
  indicatorColour(label: string): string {
    const { accent, warning, muted, ink } = this.colour;
    const choices = [accent, warning, ink, muted];
    const index = this.indicators.findIndex((found) => found.label === label);
    return choices[index % choices.length] ?? muted;
  }

  recolour(): void {
    this.colour = tokens();
    const { up, down, muted } = this.colour;
    this.chart.applyOptions(chartOptions());
    this.candles.applyOptions({
      upColor: up,
      downColor: down,
      borderUpColor: up,
      borderDownColor: down,
      wickUpColor: up,
      wickDownColor: down,
      priceLineColor: muted,
    });
    for (const [label, series] of this.lines) {
      series.applyOptions({ color: this.indicatorColour(label) });
    }
    if (this.bars.length > 0) this.volume.setData(this.bars.map((bar) => this.volumeOf(bar)));
  }

  setCandles(bars: Candle[]): void {
    const first = this.bars.length === 0;
    const range = this.chart.timeScale().getVisibleRange();
    const panned = this.chart.timeScale().scrollPosition() < 0;
    this.bars = bars;
    this.candles.setData(bars.map((bar) => ({ time: seconds(bar.time_ms), ...ohlc(bar) })));
    this.volume.setData(bars.map((bar) => this.volumeOf(bar)));
    for (const [label, series] of this.lines) {
      series.setData(bars.map((bar) => point(bar, label)));
    }
    if (first) this.showLatest();
    else if (range !== null && panned) this.chart.timeScale().setVisibleRange(range);
    else this.chart.timeScale().scrollToRealTime();
    this.tell();
  }

  /** A moving candle has no indicator values yet; show those of the candle before. */
  private known(bar: Candle): Candle {
    if (Object.keys(bar.columns).length > 0) return bar;
    return { ...bar, columns: this.bars.at(-2)?.columns ?? {} };
  }

  private tell(): void {
    const last = this.bars.at(-1);
    if (!this.hovering) this.onCandle(last === undefined ? null : this.known(last));
    this.onNewest(last?.time_ms ?? 0);
  }

  /** Scroll to the newest bars. */
  showLatest(): void {
    const visible = Math.max(40, Math.min(WARM, Math.floor(this.chart.timeScale().width() / 7)));
    this.chart.timeScale().setVisibleLogicalRange({ from: this.bars.length - visible, to: this.bars.length + 4 });
  }

  addCandles(bars: Candle[], forming: Candle | undefined): void {
    for (const bar of bars) this.update(bar, true);
    if (forming !== undefined) this.update(forming, false);
    this.tell();
  }

  private update(bar: Candle, finished: boolean): void {
    const last = this.bars.at(-1);
    if (last !== undefined && bar.time_ms < last.time_ms) return;
    if (last !== undefined && bar.time_ms === last.time_ms) this.bars[this.bars.length - 1] = bar;
    else this.bars.push(bar);
    this.candles.update({ time: seconds(bar.time_ms), ...ohlc(bar) });
    this.volume.update(this.volumeOf(bar));
    if (!finished) return;
    for (const [label, series] of this.lines) series.update(point(bar, label));
  }

  private volumeOf(bar: Candle) {
    const colour = bar.close >= bar.open ? this.colour.up : this.colour.down;
    return { time: seconds(bar.time_ms), value: bar.volume, color: `${colour}80` };
  }

  /** Time of the bar that holds a moment, or null when it lies before the first one. */
  private barTime(ms: number): UTCTimestamp | null {
    let low = 0;
    let high = this.bars.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      if ((this.bars[middle]?.time_ms ?? 0) <= ms) low = middle + 1;
      else high = middle - 1;
    }
    const bar = this.bars[high];
    return bar === undefined ? null : seconds(bar.time_ms);
  }

  /** Draw fills as arrows and trades as lines from entry to exit. */
  setTrades(fills: Fill[], trades: Trade[], chosen: number | null): void {
    const { up, down } = this.colour;
    const marks: SeriesMarker<Time>[] = [];
    for (const fill of fills) {
      const time = this.barTime(fill.time_ms);
      if (time === null) continue;
      const buy = fill.side === "buy";
      marks.push({
        time,
        position: buy ? "belowBar" : "aboveBar",
        shape: buy ? "arrowUp" : "arrowDown",
        color: buy ? up : down,
        id: `${fill.instrument} ${fill.trade_id}`,
        size: 1,
      });
    }
    marks.sort((a, b) => Number(a.time) - Number(b.time));
    this.markers.setMarkers(marks);
    this.tradeLines.setLines(
      trades.flatMap((trade) => {
        const from = this.barTime(trade.entry_ms);
        const to = this.barTime(trade.exit_ms);
        if (from === null || to === null) return [];
        return [
          {
            id: trade.id,
            from: { time: from, price: Number(trade.entry_price) },
            to: { time: to, price: Number(trade.exit_price) },
            colour: Number(trade.pnl) >= 0 ? up : down,
            strong: trade.id === chosen,
          },
        ];
      }),
    );
  }

  /** Bring a trade into view. */
  showTrade(trade: Trade): void {
    const at = (ms: number) => this.bars.findIndex((bar) => bar.time_ms >= ms);
    const from = at(trade.entry_ms);
    const to = at(trade.exit_ms);
    if (from < 0) return;
    const end = to < 0 ? this.bars.length : to;
    const margin = Math.max(20, end - from);
    this.chart.timeScale().setVisibleLogicalRange({ from: from - margin, to: end + margin });
  }

  /** Draw entry, stop and target of the open positions as price lines. */
  setPositions(positions: Position[], words: Words): void {
    for (const line of this.priceLines) this.candles.removePriceLine(line);
    this.levels = positions
      .flatMap((held) => [held.entry_price, held.stop_price, held.target_price])
      .filter((level) => level !== null)
      .map(Number);
    const { ink, down, up } = this.colour;
    const draw = (price: string | null | undefined, title: string, color: string, solid: boolean) => {
      if (price === null || price === undefined) return [];
      const lineStyle = solid ? LineStyle.Solid : LineStyle.Dashed;
      return [
        this.candles.createPriceLine({ price: Number(price), color, title, lineStyle, lineWidth: 1, axisLabelVisible: true }),
      ];
    };
    this.priceLines = positions.flatMap((position) => [
      ...draw(position.entry_price, words.entry, ink, true),
      ...draw(position.stop_price, words.stop, down, false),
      ...draw(position.target_price, words.target, up, false),
    ]);
  }

  csv(): (string | number | null)[][] {
    const labels = this.indicators.map((indicator) => indicator.label);
    const head = ["time_utc", "open", "high", "low", "close", "volume", ...labels];
    const rows = this.bars.map((bar) => [
      new Date(bar.time_ms).toISOString(),
      bar.open,
      bar.high,
      bar.low,
      bar.close,
      bar.volume,
      ...labels.map((label) => bar.columns[label] ?? null),
    ]);
    return [head, ...rows];
  }

  get name(): string {
    return this.instrument.id;
  }

  remove(): void {
    this.removeChart();
  }
}

function ohlc(bar: Candle) {
  return { open: bar.open, high: bar.high, low: bar.low, close: bar.close };
}

function point(bar: Candle, label: string) {
  const value = bar.columns[label];
  const time = seconds(bar.time_ms);
  return value === null || value === undefined ? { time } : { time, value };
}
