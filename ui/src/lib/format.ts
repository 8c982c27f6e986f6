import type { Instrument } from "../client/api";

export const UNKNOWN = "–";
type Figure = string | number | null | undefined;

const cache = new Map<string, Intl.NumberFormat>();

function formatter(decimals: number, signed: boolean): Intl.NumberFormat {
  const key = `${decimals}${signed}`;
  let found = cache.get(key);
  if (found === undefined) {
    found = new Intl.NumberFormat("en-US", {
      minimumFractionDigits: decimals,
      maximumFractionDigits: decimals,
      signDisplay: signed ? "exceptZero" : "auto",
    });
    cache.set(key, found);
  }
  return found;
}

/** A figure with fixed decimals; an unknown is a dash, never zero. */
export function figure(value: Figure, decimals: number, signed = false): string {
  if (value === null || value === undefined) return UNKNOWN;
  const number = Number(value);
  if (!Number.isFinite(number)) return UNKNOWN;
  return formatter(decimals, signed).format(number).replace("-", "−");
}

export const money = (value: Figure) => figure(value, 2);
export const gain = (value: Figure) => figure(value, 2, true);
export const percent = (value: Figure) => (value === null || value === undefined ? UNKNOWN : `${figure(value, 2)} %`);
export const change = (value: Figure) =>
  value === null || value === undefined ? UNKNOWN : `${figure(value, 2, true)} %`;
export const price = (value: Figure, instrument: Instrument | undefined) =>
  figure(value, instrument?.price_decimals ?? 2);
export const quantity = (value: Figure, instrument: Instrument | undefined) =>
  figure(value, instrument?.quantity_decimals ?? 4);

/** An indicator's value: two decimals, and four significant digits where it is smaller than ten. */
export function reading(value: Figure): string {
  const size = Math.abs(Number(value ?? 0));
  const decimals = size >= 10 || size === 0 ? 2 : Math.min(8, 3 - Math.floor(Math.log10(size)));
  return figure(value, decimals);
}

/** Up, down or neither: the word from which sign, arrow and colour follow. */
export function trend(value: Figure): "up" | "down" | "flat" {
  const number = Number(value ?? 0);
  return number > 0 ? "up" : number < 0 ? "down" : "flat";
}

export const TREND_COLOUR = { up: "text-up", down: "text-down", flat: "text-ink" } as const;

/** Absolute time in UTC, to the second. */
export function absolute(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** A moment in UTC and where the person is. */
export function everywhere(ms: number): string {
  return `${absolute(ms)}, ${new Date(ms).toLocaleString(undefined, { timeZoneName: "short" })}`;
}

/** A moment in UTC as short as can be told apart: with its date only on another day than `now`. */
export function near(ms: number, now: number | null): string {
  const text = absolute(ms);
  const sameDay = now !== null && text.slice(0, 10) === absolute(now).slice(0, 10);
  return `${sameDay ? "" : `${text.slice(5, 10)} `}${text.slice(11, 16)} UTC`;
}

const MOMENTS = /\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z/;

/** A text cut at each moment in it: words at even places, moments in milliseconds at odd ones. */
export function moments(text: string): (string | number)[] {
  const found = MOMENTS.exec(text);
  if (found === null) return [text];
  const rest = text.slice(found.index + found[0].length);
  return [text.slice(0, found.index), Date.parse(found[0]), ...moments(rest)];
}

/** A text with each moment in it short. */
export const short = (text: string, now: number | null): string =>
  moments(text)
    .map((part) => (typeof part === "number" ? near(part, now) : part))
    .join("");

export function clock(ms: number): string {
  return new Date(ms).toISOString().slice(11, 19);
}

const UNITS = ["\u00a0s", "\u00a0min", "\u00a0h", "\u00a0d"] as const;
const KOREAN_UNITS = ["초", "분", "시간", "일"] as const;

/** A span as its two largest units. */
export function span(ms: number): string {
  const [second, minute, hour, day] = document.documentElement.lang === "ko" ? KOREAN_UNITS : UNITS;
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds}${second}`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}${minute}`;
  const hours = Math.floor(minutes / 60);
  if (hours >= 48) return `${Math.floor(hours / 24)}${day}`;
  return minutes % 60 === 0 ? `${hours}${hour}` : `${hours}${hour} ${minutes % 60}${minute}`;
}

const FRAME_MS: Record<string, number> = { s: 1e3, m: 6e4, h: 36e5, d: 864e5, w: 6048e5 };

export function timeframeMs(label: string): number {
  return Number(label.slice(0, -1)) * (FRAME_MS[label.slice(-1)] ?? 6e4) || 6e4;
}

function quoted(cell: string | number | null): string {
  const text = String(cell ?? "");
  // A leading formula sign would run in a spreadsheet.
  const safe = /^[=+@\t\r]|^-(?!\d)/.test(text) ? `'${text}` : text;
  return /[",\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Hand a table to the person as a CSV file. */
export function saveCsv(name: string, rows: (string | number | null)[][]): void {
  const text = rows.map((row) => row.map(quoted).join(",")).join("\r\n");
  saveBlob(name, new Blob([text], { type: "text/csv" }));
}

export function saveBlob(name: string, blob: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
