import { useEffect, useRef, useState, type RefObject } from "react";
import type { Book, Instrument } from "../../client/api";
import { useText } from "../../i18n/text";
import { clock, figure, price, quantity } from "../../lib/format";
import { useBook } from "./useBook";

const LEVELS = 6;
const ROW = 18;
const HEAD = 42;

interface Props {
  instrument: Instrument;
  className?: string;
}

/** Who wants to trade at which price, and who just did? */
export function BookColumn({ instrument, className = "" }: Props) {
  const t = useText();
  const book = useBook(instrument.id);
  return (
    <div className={`grid grid-cols-[5fr_7fr] gap-x-4 gap-y-3 text-small ${className}`}>
      <Ladder book={book} instrument={instrument} />
      <Tape book={book} instrument={instrument} />
      {book === null && <p className="col-span-full text-muted">{t("book.none")}</p>}
    </div>
  );
}

interface PartProps {
  book: Book | null;
  instrument: Instrument;
}

interface Row {
  price: string;
  quantity: string;
  /** Share of the deepest side that stands at this price or nearer, 0 to 1. */
  depth: number;
}

function rows(levels: Book["bids"], deepest: number): Row[] {
  let sum = 0;
  return levels.slice(0, LEVELS).map((level) => {
    sum += Number(level.quantity);
    return { ...level, depth: deepest > 0 ? sum / deepest : 0 };
  });
}

const total = (levels: Book["bids"]): number =>
  levels.slice(0, LEVELS).reduce((sum, level) => sum + Number(level.quantity), 0);

function Ladder({ book, instrument }: PartProps) {
  const t = useText();
  const bids = book?.bids ?? [];
  const asks = book?.asks ?? [];
  const deepest = Math.max(total(bids), total(asks));
  const padded = (side: Row[]): (Row | null)[] => [...side, ...Array<null>(LEVELS - side.length).fill(null)];
  return (
    <table className="w-full table-fixed self-start" data-testid="book" data-levels={bids.length + asks.length}>
      <caption className="pb-1 text-left text-base text-muted">{t("book.title")}</caption>
      <Head left={t("book.price")} right={instrument.base} />
      <tbody aria-label={t("book.asks")} className="text-down">
        {padded(rows(asks, deepest))
          .reverse()
          .map((row, index) => (
            <Level key={index} row={row} instrument={instrument} />
          ))}
      </tbody>
      <tbody>
        <tr className="border-y border-line text-muted">
          <td className="py-0.5">{t("book.spread")}</td>
          <td className="py-0.5 text-right" data-testid="spread">
            {spread(book)}
          </td>
        </tr>
      </tbody>
      <tbody aria-label={t("book.bids")} className="text-up">
        {padded(rows(bids, deepest)).map((row, index) => (
          <Level key={index} row={row} instrument={instrument} />
        ))}
      </tbody>
    </table>
  );
}

function Head({ left, right }: { left: string; right: string }) {
  return (
    <thead>
      <tr className="text-muted">
        <th scope="col" className="text-left font-normal">
          {left}
        </th>
        <th scope="col" className="text-right font-normal">
          {right}
        </th>
      </tr>
    </thead>
  );
}

function Level({ row, instrument }: { row: Row | null; instrument: Instrument }) {
  const width = `${Math.round(100 * (row?.depth ?? 0))}%`;
  const bar = "color-mix(in srgb, currentColor 14%, transparent)";
  return (
    <tr style={{ background: `linear-gradient(to left, ${bar} ${width}, transparent ${width})` }}>
      <td>{price(row?.price, instrument)}</td>
      <td className="text-right text-ink">{quantity(row?.quantity, instrument)}</td>
    </tr>
  );
}

/** Hundredths of a percent between the best prices. */
function spread(book: Book | null): string {
  const bid = Number(book?.bids[0]?.price);
  const ask = Number(book?.asks[0]?.price);
  return Number.isFinite(bid) && Number.isFinite(ask) ? `${figure((20_000 * (ask - bid)) / (ask + bid), 2)} bp` : figure(null, 2);
}

/** How many whole rows fit under the head of a table. */
function useRows(holder: RefObject<HTMLElement | null>): number {
  const [rows, setRows] = useState(0);
  useEffect(() => {
    if (holder.current === null) return;
    const watcher = new ResizeObserver(([entry]) => {
      if (entry !== undefined) setRows(Math.max(0, Math.floor((entry.contentRect.height - HEAD) / ROW)));
    });
    watcher.observe(holder.current);
    return () => watcher.disconnect();
  }, [holder]);
  return rows;
}

function Tape({ book, instrument }: PartProps) {
  const t = useText();
  const holder = useRef<HTMLDivElement>(null);
  const fit = useRows(holder);
  const trades = (book?.trades ?? []).toReversed().slice(0, fit);
  return (
    <div ref={holder} className="relative min-h-[132px] overflow-hidden">
      <table
        className="absolute inset-x-0 top-0 w-full"
        data-testid="tape"
        data-newest={trades[0]?.id ?? 0}
      >
        <caption className="pb-1 text-left text-base text-muted">{t("tape.title")}</caption>
        <thead>
          <tr className="text-muted">
            <th scope="col" className="text-left font-normal">
              {t("tape.time")}
            </th>
            <th scope="col" className="text-right font-normal">
              {t("book.price")}
            </th>
            <th scope="col" className="text-right font-normal">
              {instrument.base}
            </th>
          </tr>
        </thead>
        <tbody>
          {trades.map((trade) => (
            <tr key={trade.id}>
              <td className="text-muted">{clock(trade.time_ms)}</td>
              <td
                className={`text-right whitespace-nowrap ${trade.side === "buy" ? "text-up" : "text-down"}`}
                title={t(`side.${trade.side}`)}
              >
                <span aria-hidden="true">{trade.side === "buy" ? "▲" : "▼"} </span>
                {price(trade.price, instrument)}
              </td>
              <td className="text-right">{quantity(trade.quantity, instrument)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
