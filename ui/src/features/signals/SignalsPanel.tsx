import { useState } from "react";
import type { Signal } from "../../client/api";
import { useText } from "../../i18n/text";
import { figure, span } from "../../lib/format";
import { select } from "../../lib/selection";
import { useLive, useMarketTime } from "../../live/hooks";
import { List } from "../../parts/List";
import { Empty, Panel } from "../../parts/Panel";
import { Ago, Side } from "../../parts/Values";

const STATUS_COLOUR = {
  approved: "text-ink",
  refused: "text-warning",
  noted: "text-muted",
} as const;

/** What does the strategy think, and why? */
export function SignalsPanel({ className = "" }: { className?: string }) {
  const t = useText();
  const signals = useLive((state) => state.signals);
  const now = useMarketTime();
  const [open, setOpen] = useState<number | null>(null);
  const last = signals.at(-1);
  const evidence =
    last !== undefined && now !== null
      ? t("signals.last", { span: span(now - last.time_ms) })
      : undefined;
  return (
    <Panel
      title={t("signals.title")}
      answer={figure(last === undefined ? 0 : last.id + 1, 0)}
      evidence={evidence}
      className={className}
    >
      {last === undefined ? (
        <Empty>{t("signals.none")}</Empty>
      ) : (
        <List height={312}>
          {signals.toReversed().map((signal) => (
            <li key={signal.id} className="border-t border-line">
              <button
                onClick={() => {
                  select({ instrument: signal.instrument });
                  setOpen(open === signal.id ? null : signal.id);
                }}
                aria-expanded={open === signal.id}
                className="grid w-full grid-cols-[1fr_auto] gap-x-3 py-1.5 text-left hover:bg-raised"
              >
                <span>
                  <b className="font-semibold">{signal.instrument}</b>{" "}
                  <Side side={signal.direction} />{" "}
                  <span className="text-muted">{figure(signal.confidence, 2)}</span>
                </span>
                <span className={`text-right ${STATUS_COLOUR[signal.status]}`}>{t(`status.${signal.status}`)}</span>
                <span className="font-mono text-small break-words text-muted">{signal.reason}</span>
                <span className="text-right text-small text-muted">
                  <Ago at={signal.time_ms} now={now} />
                </span>
                {open === signal.id && <Flow signal={signal} />}
              </button>
            </li>
          ))}
        </List>
      )}
    </Panel>
  );
}

/** The events from a signal to its position, as far as they came. */
function Flow({ signal }: { signal: Signal }) {
  const t = useText();
  const orders = useLive((state) => state.orders);
  const fills = useLive((state) => state.fills);
  const order = [...orders.values()].find(
    (found) =>
      found.strategy === signal.strategy &&
      found.instrument === signal.instrument &&
      found.decided_ms === signal.time_ms,
  );
  const filled = order !== undefined && fills.some((fill) => fill.client_id === order.client_id);
  const events = [...signal.flow, ...(filled ? ["ORDER_FILLED", "POSITION_UPDATE"] : [])];
  return (
    <span className="col-span-2 pt-1 text-small" data-testid="flow">
      <span className="text-muted">{t("signals.flow")}: </span>
      <span className="font-mono">{events.join(" → ")}</span>
    </span>
  );
}
