import { useText } from "../../i18n/text";
import { figure } from "../../lib/format";
import { useLive, useMarketTime } from "../../live/hooks";
import { List } from "../../parts/List";
import { Empty, Panel } from "../../parts/Panel";
import { Ago, Timed } from "../../parts/Values";

const COLOUR = { info: "text-muted", warning: "text-warning", critical: "text-danger dark:text-down" } as const;

/** What should a person know? */
export function AlertsPanel({ className = "" }: { className?: string }) {
  const t = useText();
  const alerts = useLive((state) => state.alerts);
  const now = useMarketTime();
  return (
    <Panel
      title={t("alerts.title")}
      answer={figure(alerts.length === 0 ? 0 : (alerts.at(-1)?.id ?? 0) + 1, 0)}
      className={className}
    >
      {alerts.length === 0 ? (
        <Empty>{t("alerts.none")}</Empty>
      ) : (
        <List height={216}>
          {alerts.toReversed().map((alert) => (
            <li
              key={alert.id}
              className="grid grid-cols-[4.5rem_1fr_auto] gap-x-3 border-t border-line py-1.5"
            >
              <span className={`${COLOUR[alert.severity]} font-semibold`}>
                {t(`severity.${alert.severity}`)}
              </span>
              <span className="break-words">
                <Timed text={alert.message} now={now} />
              </span>
              <span className="text-right text-small text-muted">
                <Ago at={alert.time_ms} now={now} />
              </span>
            </li>
          ))}
        </List>
      )}
    </Panel>
  );
}
