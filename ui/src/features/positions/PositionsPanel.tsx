import type { Instrument, Position } from "../../client/api";
import { useText } from "../../i18n/text";
import { absolute, money, price, quantity, span } from "../../lib/format";
import { select } from "../../lib/selection";
import { useLive, useMarketTime } from "../../live/hooks";
import { Empty, Panel } from "../../parts/Panel";
import { Flash, Gain, Side } from "../../parts/Values";

/** What do we hold, and what does it cost if it goes wrong? */
export function PositionsPanel({ className = "" }: { className?: string }) {
  const t = useText();
  const positions = useLive((state) => state.positions);
  const instruments = useLive((state) => state.instruments);
  const currency = useLive((state) => state.status?.currency ?? "");
  const sum = positions.reduce((total, held) => total + Number(held.unrealised ?? 0), 0);
  return (
    <Panel
      title={`${t("positions.title")}, ${positions.length}`}
      answer={positions.length > 0 ? <Gain value={sum} /> : t("positions.flat")}
      evidence={positions.length > 0 ? `${currency} ${t("positions.unrealised")}` : undefined}
      className={className}
    >
      {positions.length === 0 ? (
        <Empty>{t("positions.none")}</Empty>
      ) : (
        <ul>
          {positions.map((position) => (
            <Row
              key={`${position.strategy} ${position.instrument}`}
              position={position}
              instrument={instruments.find((found) => found.id === position.instrument)}
            />
          ))}
        </ul>
      )}
    </Panel>
  );
}

function Row({ position, instrument }: { position: Position; instrument: Instrument | undefined }) {
  const t = useText();
  const now = useMarketTime();
  const held = now === null ? "–" : span(now - position.opened_ms);
  return (
    <li className="border-t border-line">
      <button
        onClick={() => select({ instrument: position.instrument })}
        className="grid w-full grid-cols-[1fr_auto] gap-x-3 py-1.5 text-left hover:bg-raised"
      >
        <span>
          <b className="font-semibold">{position.instrument}</b> <Side side={position.side} />{" "}
          {quantity(position.quantity, instrument)} {instrument?.base}
        </span>
        <span className="text-right">
          <Gain value={position.unrealised} share={position.unrealised_percent} />
        </span>
        <span className="text-small text-muted">
          {price(position.entry_price, instrument)} →{" "}
          <Flash value={price(position.mark_price, instrument)} />
          {", "}
          <span title={absolute(position.opened_ms)}>{t("positions.opened", { span: held })}</span>
        </span>
        <span className="text-right text-small text-muted">
          {position.stop_price === null ? (
            <span className="text-warning">{t("positions.nostop")}</span>
          ) : (
            <span title={`${t("price.stop")} ${price(position.stop_price, instrument)}`}>
              {t("positions.risk", { value: money(position.risk) })}
            </span>
          )}
        </span>
      </button>
    </li>
  );
}
