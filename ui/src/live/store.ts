import type {
  Alert,
  Candle,
  Delta,
  EquityPoint,
  Fill,
  Instrument,
  Order,
  Position,
  Quote,
  Refusal,
  Signal,
  Snapshot,
  Status,
  Trade,
} from "../client/api";

export type Connection = "connecting" | "live" | "lost" | "refused";

/** Everything the page shows except candles, replaced as a whole at every message. */
export interface LiveState {
  connection: Connection;
  /** Wall clock of the last message, milliseconds. */
  heardAt: number;
  /** Server clock less ours, milliseconds. */
  clockOffset: number;
  /** Counts snapshots, so that charts know when to begin again. */
  epoch: number;
  status: Status | null;
  instruments: Instrument[];
  quotes: ReadonlyMap<string, Quote>;
  equity: EquityPoint[];
  positions: Position[];
  orders: ReadonlyMap<string, Order>;
  fills: Fill[];
  trades: Trade[];
  signals: Signal[];
  refusals: Refusal[];
  alerts: Alert[];
}

const EMPTY: LiveState = {
  connection: "connecting",
  heardAt: 0,
  clockOffset: 0,
  epoch: 0,
  status: null,
  instruments: [],
  quotes: new Map(),
  equity: [],
  positions: [],
  orders: new Map(),
  fills: [],
  trades: [],
  signals: [],
  refusals: [],
  alerts: [],
};

const KEEP_ITEMS = 500;
const KEEP_BARS = 400;
const KEEP_POINTS = 6000;
const SILENCE_MS = 7000;
const HIDDEN_MS = 15000;

type Message = Snapshot | Delta;
export type BarListener = (instrument: string, bars: Candle[], forming: Candle | undefined) => void;

/** Joins new items to known ones by identity, newest last. */
function joined<T>(known: T[], fresh: T[], id: (item: T) => string | number): T[] {
  if (fresh.length === 0) return known;
  const seen = new Set(known.slice(-KEEP_ITEMS).map(id));
  return [...known, ...fresh.filter((item) => !seen.has(id(item)))].slice(-KEEP_ITEMS);
}

/** Joins points in time order; the newest one may come again with another value. */
function joinedPoints(known: EquityPoint[], fresh: EquityPoint[]): EquityPoint[] {
  const last = known.at(-1);
  if (last === undefined) return fresh;
  const later = fresh.filter((point) => point.time_ms >= last.time_ms);
  const again = later[0];
  if (again === undefined) return known;
  if (again.time_ms > last.time_ms) return [...known, ...later];
  const same = again.equity === last.equity && again.benchmark === last.benchmark;
  if (same && later.length === 1) return known;
  return [...known.slice(0, -1), ...later];
}

/** Holds one WebSocket and the state it describes; React reads it as an external store. */
export class LiveStore {
  private state = EMPTY;
  private readonly listeners = new Set<() => void>();
  private readonly barListeners = new Set<BarListener>();
  private readonly recent = new Map<string, Candle[]>();
  private socket: WebSocket | null = null;
  private attempts = 0;
  private timers: number[] = [];
  private wanted = false;
  /** Called for instruments of which bars were missed. */
  onStaleCandles: (instruments: string[]) => void = () => {};
  /** Called when the points held grew too many. */
  onManyPoints: () => void = () => {};

  getState = (): LiveState => this.state;

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  subscribeBars(listener: BarListener): () => void {
    this.barListeners.add(listener);
    return () => this.barListeners.delete(listener);
  }

  /** Bars that came by message, oldest first. */
  recentBars(instrument: string): Candle[] {
    return this.recent.get(instrument) ?? [];
  }

  start(): () => void {
    this.wanted = true;
    this.connect();
    const watchdog = window.setInterval(() => this.checkSilence(), 1000);
    let hide = 0;
    const visibility = () => {
      window.clearTimeout(hide);
      // A tab in the background costs nothing; it begins again when looked at.
      if (document.hidden) hide = window.setTimeout(() => this.drop(), HIDDEN_MS);
      else if (this.socket === null) this.connect();
    };
    document.addEventListener("visibilitychange", visibility);
    return () => {
      this.wanted = false;
      window.clearInterval(watchdog);
      window.clearTimeout(hide);
      document.removeEventListener("visibilitychange", visibility);
      this.drop();
    };
  }

  replaceEquity(points: EquityPoint[]): void {
    this.set({ equity: joinedPoints(points, this.state.equity) });
  }

  private set(change: Partial<LiveState>): void {
    this.state = { ...this.state, ...change };
    for (const listener of this.listeners) listener();
  }

  private connect(): void {
    if (!this.wanted || this.socket !== null) return;
    const scheme = window.location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${window.location.host}/api/v1/stream`);
    this.socket = socket;
    socket.onmessage = (event: MessageEvent<string>) => {
      this.attempts = 0;
      this.take(JSON.parse(event.data) as Message);
    };
    socket.onclose = (event) => {
      if (this.socket !== socket) return;
      this.socket = null;
      if (event.code === 4401) this.set({ connection: "refused" });
      else this.retry();
    };
  }

  private retry(): void {
    this.set({ connection: this.state.status === null ? "connecting" : "lost" });
    if (!this.wanted || document.hidden) return;
    const wait = Math.min(10_000, 500 * 2 ** this.attempts++);
    this.timers.forEach(window.clearTimeout);
    this.timers = [window.setTimeout(() => this.connect(), wait)];
  }

  private drop(): void {
    this.timers.forEach(window.clearTimeout);
    const socket = this.socket;
    this.socket = null;
    socket?.close();
    if (this.state.status !== null) this.set({ connection: "lost" });
  }

  private checkSilence(): void {
    if (this.state.connection !== "live" || Date.now() - this.state.heardAt < SILENCE_MS) return;
    const socket = this.socket;
    this.socket = null;
    socket?.close();
    this.retry();
  }

  private take(message: Message): void {
    const now = Date.now();
    const common = {
      connection: "live" as const,
      heardAt: now,
      clockOffset: message.status.server_time_ms - now,
      status: message.status,
      quotes: new Map(message.quotes.map((quote) => [quote.instrument, quote])),
      positions: message.positions,
    };
    if (message.type === "snapshot") this.takeSnapshot(message, common);
    else this.takeDelta(message, common);
  }

  private takeSnapshot(message: Snapshot, common: Partial<LiveState>): void {
    this.recent.clear();
    this.set({
      ...common,
      epoch: this.state.epoch + 1,
      instruments: message.instruments,
      equity: message.equity.points,
      orders: new Map(message.orders.map((order) => [order.client_id, order])),
      fills: message.fills,
      trades: message.trades,
      signals: message.signals,
      refusals: message.refusals,
      alerts: message.alerts,
    });
  }

  private takeDelta(message: Delta, common: Partial<LiveState>): void {
    const before = this.state;
    const orders =
      message.orders.length === 0
        ? before.orders
        : new Map([
            ...before.orders,
            ...message.orders.map((order): [string, Order] => [order.client_id, order]),
          ]);
    this.set({
      ...common,
      equity: joinedPoints(before.equity, message.equity),
      orders,
      fills: joined(before.fills, message.fills, (fill) => `${fill.instrument} ${fill.trade_id}`),
      trades: joined(before.trades, message.trades, (trade) => trade.id),
      signals: joined(before.signals, message.signals, (signal) => signal.id),
      refusals: joined(before.refusals, message.refusals, (refusal) => refusal.id),
      alerts: joined(before.alerts, message.alerts, (alert) => alert.id),
    });
    this.giveBars(message);
    if (message.stale_candles.length > 0) this.onStaleCandles(message.stale_candles);
    if (this.state.equity.length > KEEP_POINTS) this.onManyPoints();
  }

  private giveBars(message: Delta): void {
    const touched = new Set([...Object.keys(message.bars), ...Object.keys(message.forming)]);
    for (const instrument of touched) {
      const bars = message.bars[instrument] ?? [];
      const kept = [...this.recentBars(instrument), ...bars].slice(-KEEP_BARS);
      this.recent.set(instrument, kept);
      for (const listener of this.barListeners) {
        listener(instrument, bars, message.forming[instrument]);
      }
    }
  }
}

export const live = new LiveStore();
