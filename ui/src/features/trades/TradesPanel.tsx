import { useMemo, useState, type ReactNode } from "react";
import type { Instrument, Trade } from "../../client/api";
import type { Key } from "../../i18n/catalogue";
import { useText } from "../../i18n/text";
import { absolute, price, quantity, saveCsv, span } from "../../lib/format";
import { select, useSelection } from "../../lib/selection";
import { useLive, useMarketTime } from "../../live/hooks";
import { Empty, Panel } from "../../parts/Panel";
import { Ago, Change, Gain, Side } from "../../parts/Values";

interface Column {
  key: Key;
  hint?: Key;
  right: boolean;
  order: (trade: Trade) => number | string;
  cell: (trade: Trade, instrument: Instrument | undefined, now: number | null) => ReactNode;
}

const COLUMNS: Column[] = [
  { key: "trades.closed", right: false, order: (trade) => trade.exit_ms, cell: (trade, _, now) => <Ago at={trade.exit_ms} now={now} /> },
  { key: "trades.instrument", right: false, order: (trade) => trade.instrument, cell: (trade) => trade.instrument },
  { key: "trades.side", right: false, order: (trade) => trade.side, cell: (trade) => <Side side={trade.side} /> },
  { key: "trades.quantity", right: true, order: (trade) => Number(trade.quantity), cell: (trade, instrument) => quantity(trade.quantity, instrument) },
  { key: "trades.entry", right: true, order: (trade) => Number(trade.entry_price), cell: (trade, instrument) => price(trade.entry_price, instrument) },
  { key: "trades.exit", right: true, order: (trade) => Number(trade.exit_price), cell: (trade, instrument) => price(trade.exit_price, instrument) },
  { key: "trades.pnl", hint: "trades.pnl.hint", right: true, order: (trade) => Number(trade.pnl), cell: (trade) => <Gain value={trade.pnl} /> },
  { key: "trades.percent", right: true, order: (trade) => trade.pnl_percent ?? 0, cell: (trade) => <Change value={trade.pnl_percent} /> },
  { key: "trades.held", right: true, order: (trade) => trade.exit_ms - trade.entry_ms, cell: (trade) => span(trade.exit_ms - trade.entry_ms) },
  { key: "trades.reason", right: false, order: (trade) => trade.exit_reason, cell: (trade) => trade.exit_reason },
];

function saveTrades(trades: Trade[]): void {
  const head = ["id", "strategy", "instrument", "side", "quantity", "entry_utc", "exit_utc", "entry_price", "exit_price", "fees", "pnl", "closed_by"];
  const rows = trades.map((trade) => [
    trade.id,
    trade.strategy,
    trade.instrument,
    trade.side,
    trade.quantity,
    new Date(trade.entry_ms).toISOString(),
    new Date(trade.exit_ms).toISOString(),
    trade.entry_price,
    trade.exit_price,
    trade.fees,
    trade.pnl,
    trade.exit_reason,
  ]);
  saveCsv("trades.csv", [head, ...rows]);
}

/** What did the finished round trips bring? */
export function TradesPanel({ className = "" }: { className?: string }) {
  const t = useText();
  const trades = useLive((state) => state.trades);
  const currency = useLive((state) => state.status?.currency ?? "");
  const [sort, setSort] = useState({ column: 0, descending: true });
  const sorted = useMemo(() => {
    const order = COLUMNS[sort.column]?.order ?? (() => 0);
    const way = sort.descending ? -1 : 1;
    return trades.toSorted((a, b) => {
      const [x, y] = [order(a), order(b)];
      return x === y ? b.id - a.id : x < y ? -way : way;
    });
  }, [trades, sort]);
  const sum = trades.reduce((total, trade) => total + Number(trade.pnl), 0);
  return (
    <Panel
      title={`${t("trades.title")}, ${(trades.at(-1)?.id ?? -1) + 1}`}
      answer={trades.length > 0 ? <Gain value={sum} /> : t("positions.flat")}
      evidence={trades.length > 0 ? `${currency} ${t("trades.sum")}` : undefined}
      actions={
        trades.length > 0 && (
          <button className="text-muted underline" onClick={() => saveTrades(sorted)}>
            {t("save.csv")}
          </button>
        )
      }
      className={className}
    >
      {trades.length === 0 ? (
        <Empty>{t("trades.none")}</Empty>
      ) : (
        <>
          <Table trades={sorted} sort={sort} onSort={setSort} currency={currency} />
          <Rows trades={sorted} />
        </>
      )}
    </Panel>
  );
}

type Sort = { column: number; descending: boolean };

interface TableProps {
  trades: Trade[];
  sort: Sort;
  onSort: (sort: Sort) => void;
  currency: string;
}

function Table({ trades, sort, onSort, currency }: TableProps) {
  const t = useText();
  const now = useMarketTime();
  const instruments = useLive((state) => state.instruments);
  const { trade: chosen } = useSelection();
  return (
    <div className="hidden max-h-[420px] overflow-auto border-t border-line md:block">
      <table className="w-full">
        <thead className="sticky top-0 bg-ground text-small text-muted">
          <tr>
            {COLUMNS.map((column, index) => (
              <th
                key={column.key}
                scope="col"
                aria-sort={sort.column !== index ? "none" : sort.descending ? "descending" : "ascending"}
                title={column.hint && t(column.hint)}
                className={`py-1.5 font-normal whitespace-nowrap ${column.right ? "pl-4 text-right" : "pr-4 text-left"} ${column.key === "trades.reason" ? "pl-6" : ""}`}
              >
                <button
                  onClick={() => onSort({ column: index, descending: sort.column !== index || !sort.descending })}
                  className="hover:text-ink"
                >
                  {t(column.key, { currency })}
                  {sort.column === index && <span aria-hidden="true">{sort.descending ? " ↓" : " ↑"}</span>}
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {trades.map((trade) => (
            <tr
              key={trade.id}
              tabIndex={0}
              aria-selected={trade.id === chosen}
              title={t("trades.show")}
              onClick={() => select({ instrument: trade.instrument, trade: trade.id })}
              onKeyDown={(event) => {
                if (event.key === "Enter") select({ instrument: trade.instrument, trade: trade.id });
                const next = event.key === "ArrowDown" ? "nextElementSibling" : event.key === "ArrowUp" ? "previousElementSibling" : null;
                if (next === null) return;
                event.preventDefault();
                (event.currentTarget[next] as HTMLElement | null)?.focus();
              }}
              className="cursor-pointer border-t border-line -outline-offset-2 hover:bg-raised aria-selected:bg-raised"
            >
              {COLUMNS.map((column) => (
                <td
                  key={column.key}
                  className={`py-1.5 whitespace-nowrap ${column.right ? "pl-4 text-right" : "pr-4"} ${column.key === "trades.reason" ? "pl-6" : ""}`}
                >
                  {column.cell(trade, instruments.find((found) => found.id === trade.instrument), now)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Rows({ trades }: { trades: Trade[] }) {
  const now = useMarketTime();
  const instruments = useLive((state) => state.instruments);
  return (
    <ul className="max-h-[420px] overflow-y-auto md:hidden">
      {trades.map((trade) => {
        const instrument = instruments.find((found) => found.id === trade.instrument);
        return (
          <li key={trade.id} className="border-t border-line">
            <button
              onClick={() => select({ instrument: trade.instrument, trade: trade.id })}
              className="grid w-full grid-cols-[1fr_auto] gap-x-3 py-1.5 text-left"
            >
              <span>
                <b className="font-semibold">{trade.instrument}</b> <Side side={trade.side} />{" "}
                {quantity(trade.quantity, instrument)}
              </span>
              <Gain value={trade.pnl} share={trade.pnl_percent} />
              <span className="text-small text-muted">
                {price(trade.entry_price, instrument)} → {price(trade.exit_price, instrument)}, {trade.exit_reason}
              </span>
              <span className="text-right text-small text-muted" title={absolute(trade.exit_ms)}>
                <Ago at={trade.exit_ms} now={now} />
              </span>
            </button>
          </li>
        );
      })}
    </ul>
  );
}
