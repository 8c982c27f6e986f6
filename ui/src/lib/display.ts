import { useSyncExternalStore } from "react";

export type Theme = "system" | "light" | "dark";
export type Palette = "green-red" | "blue-orange" | "red-blue";
export type Language = "en" | "ko";

export interface Display {
  theme: Theme;
  palette: Palette;
  language: Language;
}

const KEY = "tidewright.display";
const listeners = new Set<() => void>();
const prefersDark = window.matchMedia("(prefers-color-scheme: dark)");

function stored(): Display {
  const language: Language = navigator.language.startsWith("ko") ? "ko" : "en";
  const standard: Display = { theme: "system", palette: "green-red", language };
  try {
    return { ...standard, ...(JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Display>) };
  } catch {
    return standard;
  }
}

let display = stored();

/** Bring the tokens of the chosen theme and palette into force. */
export function applyDisplay(): void {
  const root = document.documentElement;
  const dark = display.theme === "dark" || (display.theme === "system" && prefersDark.matches);
  root.dataset["theme"] = dark ? "dark" : "light";
  root.dataset["palette"] = display.palette;
  root.lang = display.language;
}

export function changeDisplay(change: Partial<Display>): void {
  display = { ...display, ...change };
  localStorage.setItem(KEY, JSON.stringify(display));
  applyDisplay();
  for (const listener of listeners) listener();
}

prefersDark.addEventListener("change", () => changeDisplay({}));

export function useDisplay(): Display {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => display,
  );
}

/** The colours now in force, for canvases, which cannot read style sheets. */
export function tokens(): Record<
  "ground" | "raised" | "line" | "ink" | "muted" | "accent" | "up" | "down" | "warning",
  string
> {
  const style = getComputedStyle(document.documentElement);
  const read = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    ground: read("ground"),
    raised: read("raised"),
    line: read("line"),
    ink: read("ink"),
    muted: read("muted"),
    accent: read("accent"),
    up: read("up"),
    down: read("down"),
    warning: read("warning"),
  };
}
