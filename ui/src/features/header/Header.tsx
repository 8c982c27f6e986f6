import type { ReactNode } from "react";
import type { Mode, Status } from "../../client/api";
import { useText } from "../../i18n/text";
import { absolute, clock, money, percent, span, UNKNOWN } from "../../lib/format";
import { useLive } from "../../live/hooks";
import { Flash, Gain } from "../../parts/Values";
import { DisplayMenu } from "./DisplayMenu";
import { Notices } from "./Notices";
import { StopButton } from "./StopButton";
import { useFeed } from "./useFeed";

const MODE: Record<Mode, { badge: string; edge: string }> = {
  simulated: { badge: "border-dashed border-muted text-ink", edge: "border-muted border-dashed" },
  paper: { badge: "border-accent text-accent", edge: "border-accent" },
  live: { badge: "border-danger bg-danger text-on-danger", edge: "border-danger" },
};

const STATE = { active: "text-ink", reducing: "text-warning", halted: "text-danger dark:text-down" } as const;
const STATE_SIGN = { active: "●", reducing: "◐", halted: "■" } as const;

/** The first glance: whose money, what state, how much, how old; and the stop. */
export function Header() {
  const t = useText();
  const status = useLive((state) => state.status);
  const connection = useLive((state) => state.connection);
  const mode = status?.mode ?? "simulated";
  return (
    <header className="sticky top-0 z-20 border-b border-line bg-ground">
      <div className={`border-t-4 ${status === null ? "border-line" : MODE[mode].edge}`} />
      <div className="mx-auto flex max-w-[1680px] flex-wrap items-center gap-x-6 gap-y-2 px-4 py-2">
        <div className="flex items-center gap-3">
          {status === null ? (
            <span className="text-muted">{t("connection.connecting")}</span>
          ) : (
            <ModeAndState status={status} />
          )}
        </div>
        <div className="order-2 ml-auto flex items-center gap-2 lg:order-3">
          <div className="hidden sm:block">
            <DisplayMenu />
          </div>
          <StopButton />
        </div>
        <dl
          className={`order-3 grid w-full grid-cols-2 gap-x-6 gap-y-1 sm:grid-cols-4 lg:order-2 lg:flex lg:w-auto ${connection === "live" ? "" : "stale"}`}
        >
          <Figures status={status} />
        </dl>
      </div>
      <Notices />
    </header>
  );
}

function ModeAndState({ status }: { status: Status }) {
  const t = useText();
  return (
    <>
      <span
        data-testid="mode"
        title={t(`mode.${status.mode}.hint`)}
        className={`rounded border-2 px-2 py-0.5 font-semibold uppercase ${MODE[status.mode].badge}`}
      >
        {t(`mode.${status.mode}`)}
      </span>
      <span
        data-testid="state"
        data-state={status.state}
        title={t(`state.${status.state}.hint`)}
        className={`text-large font-semibold ${STATE[status.state]}`}
      >
        <span aria-hidden="true" className="pr-1.5 text-small">
          {STATE_SIGN[status.state]}
        </span>
        {t(`state.${status.state}`)}
      </span>
    </>
  );
}

function Figures({ status }: { status: Status | null }) {
  const t = useText();
  const feed = useFeed();
  const unprotected = status?.unprotected ?? 0;
  return (
    <>
      <Figure name={`${t("head.equity")}, ${status?.currency ?? ""}`} hint={status?.equity ?? undefined}>
        <span data-testid="equity">
          <Flash value={money(status?.equity)} />
        </span>
      </Figure>
      <Figure name={t("head.day")} hint={t("head.day.hint")}>
        <Gain value={status?.day_pnl} share={status?.day_pnl_percent} />
      </Figure>
      <Figure name={t("head.risk")} hint={t("head.risk.hint")}>
        {status?.equity == null ? UNKNOWN : money(status.open_risk)}{" "}
        {status?.equity != null && (
          <span className="text-muted">({percent(status.open_risk_percent)})</span>
        )}
        {unprotected > 0 && (
          <span className="pl-1.5 text-warning">{t("head.unprotected", { n: unprotected })}</span>
        )}
      </Figure>
      <Figure name={t("head.feed")} hint={t("head.feed.hint")}>
        <span className={feed.stale ? "text-warning" : ""}>
          {feed.ageMs === null ? UNKNOWN : span(feed.ageMs)}
        </span>
      </Figure>
      <Figure
        name={`${t("head.market")}, UTC`}
        hint={status?.market_time_ms == null ? undefined : absolute(status.market_time_ms)}
        wide
      >
        {status?.market_time_ms == null ? UNKNOWN : clock(status.market_time_ms)}
      </Figure>
    </>
  );
}

interface FigureProps {
  name: string;
  hint?: string | undefined;
  /** Shown only where there is room. */
  wide?: boolean;
  children: ReactNode;
}

function Figure({ name, hint, wide = false, children }: FigureProps) {
  return (
    <div title={hint} className={wide ? "hidden xl:block" : ""}>
      <dt className="text-small text-muted">{name}</dt>
      <dd className="text-large font-medium whitespace-nowrap">{children}</dd>
    </div>
  );
}
