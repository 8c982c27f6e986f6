import { useEffect, useRef, type ReactNode } from "react";
import { useText } from "../i18n/text";
import { absolute, change, everywhere, gain, moments, near, span, trend, TREND_COLOUR, UNKNOWN } from "../lib/format";

const calm = window.matchMedia("(prefers-reduced-motion: reduce)");

/** Shows a value and tints it once, softly, when it changes. */
export function Flash({ value, children }: { value: string; children?: ReactNode }) {
  const ref = useRef<HTMLSpanElement>(null);
  const before = useRef(value);
  useEffect(() => {
    if (before.current === value) return;
    before.current = value;
    if (calm.matches || document.hidden) return;
    ref.current?.animate(
      [{ backgroundColor: "color-mix(in srgb, var(--accent) 14%, transparent)" }, {}],
      { duration: 400, easing: "ease-out" },
    );
  }, [value]);
  return (
    <span ref={ref} className="rounded-xs">
      {children ?? value}
    </span>
  );
}

type Figure = string | number | null | undefined;

/** A profit or loss: sign and colour, and its percentage where there is one. */
export function Gain({ value, share }: { value: Figure; share?: Figure }) {
  const colour = value === null || value === undefined ? "text-muted" : TREND_COLOUR[trend(value)];
  const shown = gain(value);
  return (
    <span className={`${colour} whitespace-nowrap`} title={value === null ? undefined : String(value)}>
      <Flash value={shown} />
      {share !== undefined && share !== null && <span className="pl-1.5">({change(share)})</span>}
    </span>
  );
}

/** A change in percent, by sign and colour. */
export function Change({ value }: { value: Figure }) {
  const colour = value === null || value === undefined ? "text-muted" : TREND_COLOUR[trend(value)];
  return <span className={`${colour} whitespace-nowrap`}>{change(value)}</span>;
}

const ARROW = { buy: "▲", sell: "▼", long: "▲", short: "▼", flat: "■" } as const;
const SIDE_COLOUR = {
  buy: "text-up",
  long: "text-up",
  sell: "text-down",
  short: "text-down",
  flat: "text-muted",
} as const;

/** Long, short or exit: word, arrow and colour. */
export function Side({ side }: { side: keyof typeof ARROW }) {
  const t = useText();
  const key = side === "buy" || side === "sell" ? (`side.${side}` as const) : (`direction.${side}` as const);
  return (
    <span className="whitespace-nowrap">
      <span aria-hidden="true" className={`${SIDE_COLOUR[side]} pr-1 text-small`}>
        {ARROW[side]}
      </span>
      {t(key)}
    </span>
  );
}

/** A text in which each moment is short, with the absolute one, in UTC and here, on hover. */
export function Timed({ text, now }: { text: string; now: number | null }) {
  return moments(text).map((part, index) =>
    typeof part === "string" ? (
      part
    ) : (
      <time key={index} dateTime={new Date(part).toISOString()} title={everywhere(part)} className="whitespace-nowrap">
        {near(part, now)}
      </time>
    ),
  );
}

/** How long ago something was by the given clock, the absolute time on hover. */
export function Ago({ at, now }: { at: number; now: number | null }) {
  const t = useText();
  const elapsed = now === null ? null : now - at;
  const words = elapsed === null ? UNKNOWN : elapsed < 1000 ? t("now") : t("ago", { span: span(elapsed) });
  return (
    <time dateTime={new Date(at).toISOString()} title={absolute(at)} className="whitespace-nowrap">
      {words}
    </time>
  );
}
