import type { Refusal } from "../../client/api";
import { useText } from "../../i18n/text";
import { figure, short } from "../../lib/format";
import { select } from "../../lib/selection";
import { useLive, useMarketTime } from "../../live/hooks";
import { List } from "../../parts/List";
import { Empty, Panel } from "../../parts/Panel";
import { Ago, Side, Timed } from "../../parts/Values";

function mostOften(refusals: Refusal[]): string | undefined {
  const counts = new Map<string, number>();
  for (const { rule } of refusals) counts.set(rule, (counts.get(rule) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0];
}

/** What did the limits keep us from doing? */
export function RefusalsPanel({ className = "" }: { className?: string }) {
  const t = useText();
  const refusals = useLive((state) => state.refusals);
  const now = useMarketTime();
  const last = refusals.at(-1);
  const rule = mostOften(refusals);
  return (
    <Panel
      title={t("refusals.title")}
      answer={figure(last === undefined ? 0 : last.id + 1, 0)}
      evidence={rule === undefined ? undefined : t("refusals.most", { rule })}
      className={className}
    >
      {last === undefined ? (
        <Empty>{t("refusals.none")}</Empty>
      ) : (
        <>
          <p className="flex justify-between pb-1 text-small text-muted">
            <span>{t("refusals.rule")}</span>
            <span>{t("refusals.value")}</span>
          </p>
          <List height={312}>
            {refusals.toReversed().map((refusal) => (
              <li key={refusal.id} className="border-t border-line">
                <button
                  onClick={() => select({ instrument: refusal.instrument })}
                  title={short(refusal.message, now)}
                  className="grid w-full grid-cols-[1fr_auto] gap-x-3 py-1.5 text-left hover:bg-raised"
                >
                  <span>
                    <b className="font-semibold">{refusal.instrument}</b>{" "}
                    <Side side={refusal.direction} />
                  </span>
                  <span className="text-right">
                    <Timed text={refusal.value} now={now} />
                    <span className="text-muted">
                      {" / "}
                      <Timed text={refusal.limit} now={now} />
                    </span>
                  </span>
                  <span className="font-mono text-small break-words text-muted">{refusal.rule}</span>
                  <span className="text-right text-small text-muted">
                    <Ago at={refusal.time_ms} now={now} />
                  </span>
                </button>
              </li>
            ))}
          </List>
        </>
      )}
    </Panel>
  );
}
