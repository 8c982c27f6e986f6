import { useEffect, useState } from "react";
import type { Book } from "../../client/api";

const RETRY_MS = 1000;

/** The order book of an instrument, a few times a second; null until it comes. */
export function useBook(instrument: string): Book | null {
  const [book, setBook] = useState<Book | null>(null);
  useEffect(() => {
    let socket: WebSocket | null = null;
    let retry = 0;
    const connect = () => {
      const scheme = window.location.protocol === "https:" ? "wss" : "ws";
      const query = new URLSearchParams({ instrument });
      const made = new WebSocket(`${scheme}://${window.location.host}/api/v1/book/stream?${query}`);
      made.onmessage = (event: MessageEvent<string>) => setBook(JSON.parse(event.data) as Book);
      made.onclose = () => {
        if (socket === made) retry = window.setTimeout(connect, RETRY_MS);
      };
      socket = made;
    };
    const drop = () => {
      window.clearTimeout(retry);
      const old = socket;
      socket = null;
      old?.close();
    };
    // A tab in the background costs nothing; it begins again when looked at.
    const visibility = () => {
      drop();
      if (!document.hidden) connect();
    };
    setBook(null);
    visibility();
    document.addEventListener("visibilitychange", visibility);
    return () => {
      document.removeEventListener("visibilitychange", visibility);
      drop();
    };
  }, [instrument]);
  return book;
}
