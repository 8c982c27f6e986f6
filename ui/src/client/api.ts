import createClient, { type Middleware } from "openapi-fetch";
import type { components, paths } from "./schema";

type Schemas = components["schemas"];
export type Alert = Schemas["AlertView"];
export type Book = Schemas["BookView"];
export type Candle = Schemas["Candle"];
export type Delta = Schemas["Delta"];
export type EquityPoint = Schemas["EquityPoint"];
export type Fill = Schemas["FillView"];
export type Instrument = Schemas["InstrumentView"];
export type Mode = Schemas["Mode"];
export type Order = Schemas["OrderView"];
export type Position = Schemas["PositionView"];
export type Quote = Schemas["Quote"];
export type Refusal = Schemas["RefusalView"];
export type Session = Schemas["SessionView"];
export type Signal = Schemas["SignalView"];
export type Snapshot = Schemas["Snapshot"];
export type Status = Schemas["Status"];
export type Trade = Schemas["TradeView"];

/** A refusal by the server, in its own words. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly requestId: string,
  ) {
    super(message);
  }
}

let csrf = "";

/** Keep the token that every change must carry. */
export function keepCsrf(token: string): void {
  csrf = token;
}

const carryCsrf: Middleware = {
  onRequest({ request }) {
    if (request.method !== "GET" && csrf) request.headers.set("X-CSRF-Token", csrf);
    return request;
  },
};

const client = createClient<paths>({ baseUrl: "/" });
client.use(carryCsrf);

interface Answer<T> {
  data?: T;
  error?: { message: string; request_id: string } | undefined;
  response: Response;
}

async function taken<T>(answer: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await answer;
  if (error !== undefined || !response.ok) {
    throw new ApiError(response.status, error?.message ?? response.statusText, error?.request_id ?? "");
  }
  return data as T;
}

export const api = {
  session: () => taken(client.GET("/api/v1/session")),
  login: (body: { secret: string; token: string }) => taken(client.POST("/api/v1/login", { body })),
  logout: () => taken(client.POST("/api/v1/logout")),
  candles: (instrument: string, limit: number) =>
    taken(client.GET("/api/v1/candles", { params: { query: { instrument, limit } } })),
  equity: () => taken(client.GET("/api/v1/equity")),
  performance: () => taken(client.GET("/api/v1/performance")),
  halt: (reason: string) => taken(client.POST("/api/v1/halt", { body: { reason } })),
  resume: (confirmation: string, reason: string) =>
    taken(client.POST("/api/v1/resume", { body: { confirmation, reason } })),
};
