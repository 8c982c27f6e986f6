import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { api } from "../../client/api";
import { useText } from "../../i18n/text";
import { change, figure, money, percent } from "../../lib/format";
import { useLive } from "../../live/hooks";
import { Panel } from "../../parts/Panel";
import { Gain } from "../../parts/Values";

const EquityChart = lazy(() => import("./EquityChart"));

/** Are we better off than if we had bought and held? */
export function EquityPanel({ className = "" }: { className?: string }) {
  const t = useText();
  const status = useLive((state) => state.status);
  const closed = useLive((state) => state.trades.at(-1)?.id ?? -1);
  const figures = useQuery({
    queryKey: ["performance", closed],
    queryFn: api.performance,
    enabled: status !== null,
    placeholderData: (before) => before,
  });
  const ours = status?.total_pnl_percent ?? null;
  const held = status?.benchmark_percent ?? null;
  const lead = ours === null || held === null ? null : ours - held;
  const words =
    lead === null
      ? undefined
      : t(lead >= 0 ? "equity.ahead" : "equity.behind", { n: figure(Math.abs(lead), 2) });
  const run = figures.data;
  const facts: [string, string, string | undefined][] = [
    [t("equity.deepest"), change(status?.max_drawdown_percent), t("equity.drawdown.hint")],
    [t("equity.winrate"), run === undefined ? "–" : `${percent(run.win_rate_percent)}, n = ${run.wins + run.losses}`, t("equity.winrate.hint")],
    [t("equity.factor"), figure(run?.profit_factor, 2), t("equity.factor.hint")],
    [`${t("equity.fees")}, ${status?.currency ?? ""}`, money(run?.fees), t("equity.fees.hint")],
  ];
  return (
    <Panel
      title={t("equity.title")}
      answer={<Gain value={status?.total_pnl} share={ours} />}
      evidence={`${status?.currency ?? ""} ${t("equity.since")}${words === undefined ? "" : `; ${words}`}`}
      className={className}
    >
      <Suspense fallback={<div className="h-[320px] sm:h-[340px]" />}>
        <EquityChart currency={status?.currency ?? ""} />
      </Suspense>
      <dl className="grid grid-cols-2 gap-x-6 gap-y-1 pt-2 sm:flex">
        {facts.map(([name, text, hint]) => (
          <div key={name} className="flex flex-wrap items-baseline gap-x-2" title={hint}>
            <dt className="text-muted">{name}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}
