import { useText } from "../../i18n/text";
import { figure, span } from "../../lib/format";
import { select } from "../../lib/selection";
import { useLive, useMarketTime } from "../../live/hooks";
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
        <ul className="max-h-[312px] overflow-y-auto">
          {signals.toReversed().map((signal) => (
            <li key={signal.id} className="border-t border-line">
              <button
                onClick={() => select({ instrument: signal.instrument })}
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
              </button>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
