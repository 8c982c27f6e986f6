import {
  ColorType,
  CrosshairMode,
  createChart,
  type ChartOptions,
  type DeepPartial,
  type IChartApi,
  type PriceFormatCustom,
  type Time,
  type UTCTimestamp,
} from "lightweight-charts";
import { tokens } from "../lib/display";
import { absolute, money, saveBlob } from "../lib/format";

/** Money on an axis. */
export const MONEY_FORMAT: PriceFormatCustom = { type: "custom", minMove: 0.01, formatter: money };

export const seconds = (ms: number): UTCTimestamp => Math.floor(ms / 1000) as UTCTimestamp;
export const milliseconds = (time: Time): number => Number(time) * 1000;

/** Options of every chart, in the colours now in force. */
export function chartOptions(): DeepPartial<ChartOptions> {
  const colour = tokens();
  return {
    autoSize: true,
    layout: {
      background: { type: ColorType.Solid, color: colour.ground },
      textColor: colour.muted,
      fontFamily: '"Inter", system-ui, sans-serif',
      fontSize: 12,
      // The credit stands at the foot of the page; the logo would need inline styles.
      attributionLogo: false,
      panes: { separatorColor: colour.line, separatorHoverColor: colour.raised, enableResize: true },
    },
    grid: { vertLines: { visible: false }, horzLines: { color: colour.raised } },
    crosshair: {
      mode: CrosshairMode.Normal,
      vertLine: { color: colour.muted, labelBackgroundColor: colour.muted },
      horzLine: { color: colour.muted, labelBackgroundColor: colour.muted },
    },
    rightPriceScale: { borderVisible: false, minimumWidth: 76 },
    timeScale: { borderVisible: false, timeVisible: true, secondsVisible: false, rightOffset: 4 },
    localization: { timeFormatter: (time: Time) => absolute(milliseconds(time)) },
  };
}

/** Make a chart that the keyboard can pan and zoom. */
export function makeChart(element: HTMLElement): { chart: IChartApi; remove: () => void } {
  const chart = createChart(element, chartOptions());
  const keys = (event: KeyboardEvent) => {
    const scale = chart.timeScale();
    const step = event.shiftKey ? 50 : 10;
    const zoom = (factor: number) =>
      scale.applyOptions({ barSpacing: Math.min(40, Math.max(0.5, scale.options().barSpacing * factor)) });
    const actions: Record<string, () => void> = {
      ArrowLeft: () => scale.scrollToPosition(scale.scrollPosition() - step, false),
      ArrowRight: () => scale.scrollToPosition(scale.scrollPosition() + step, false),
      "+": () => zoom(1.25),
      "=": () => zoom(1.25),
      "-": () => zoom(0.8),
      End: () => scale.scrollToRealTime(),
      Home: () => scale.fitContent(),
    };
    const action = actions[event.key];
    if (action === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    action();
  };
  element.addEventListener("keydown", keys);
  return {
    chart,
    remove: () => {
      element.removeEventListener("keydown", keys);
      chart.remove();
    },
  };
}

/** Hand the chart to the person as an image. */
export function saveImage(chart: IChartApi, name: string): void {
  chart.takeScreenshot().toBlob((blob) => {
    if (blob !== null) saveBlob(name, blob);
  });
}
