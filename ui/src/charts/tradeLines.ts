import type {
  IChartApiBase,
  IPrimitivePaneRenderer,
  IPrimitivePaneView,
  ISeriesApi,
  ISeriesPrimitive,
  SeriesAttachedParameter,
  SeriesType,
  Time,
  UTCTimestamp,
} from "lightweight-charts";

export interface TradeLine {
  id: number;
  from: { time: UTCTimestamp; price: number };
  to: { time: UTCTimestamp; price: number };
  colour: string;
  strong: boolean;
}

type Target = Parameters<IPrimitivePaneRenderer["draw"]>[0];

/** Draws a line from the entry to the exit of each trade. */
export class TradeLines implements ISeriesPrimitive<Time> {
  private chart: IChartApiBase<Time> | null = null;
  private series: ISeriesApi<SeriesType, Time> | null = null;
  private requestUpdate: () => void = () => {};
  private lines: TradeLine[] = [];
  private readonly views: IPrimitivePaneView[] = [
    { zOrder: () => "top", renderer: () => ({ draw: (target) => this.draw(target) }) },
  ];

  attached(parameters: SeriesAttachedParameter<Time>): void {
    this.chart = parameters.chart;
    this.series = parameters.series;
    this.requestUpdate = parameters.requestUpdate;
  }

  detached(): void {
    this.chart = null;
    this.series = null;
  }

  paneViews(): readonly IPrimitivePaneView[] {
    return this.views;
  }

  setLines(lines: TradeLine[]): void {
    this.lines = lines;
    this.requestUpdate();
  }

  private draw(target: Target): void {
    const { chart, series } = this;
    if (chart === null || series === null) return;
    target.useMediaCoordinateSpace(({ context }) => {
      for (const line of this.lines) {
        const x1 = chart.timeScale().timeToCoordinate(line.from.time);
        const x2 = chart.timeScale().timeToCoordinate(line.to.time);
        const y1 = series.priceToCoordinate(line.from.price);
        const y2 = series.priceToCoordinate(line.to.price);
        if (x1 === null || x2 === null || y1 === null || y2 === null) continue;
        context.save();
        context.strokeStyle = line.colour;
        context.lineWidth = line.strong ? 3 : 1.5;
        context.setLineDash(line.strong ? [] : [4, 3]);
        context.beginPath();
        context.moveTo(x1, y1);
        context.lineTo(x2, y2);
        context.stroke();
        context.restore();
      }
    });
  }
}
