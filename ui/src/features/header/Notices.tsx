import { useText } from "../../i18n/text";
import { absolute, clock, short, span } from "../../lib/format";
import { useLive } from "../../live/hooks";
import { NOTICES } from "./StopButton";
import { useFeed } from "./useFeed";

/** What is not normal right now, in words. */
export function Notices() {
  const t = useText();
  const status = useLive((state) => state.status);
  const connection = useLive((state) => state.connection);
  const heardAt = useLive((state) => state.heardAt);
  const feed = useFeed();
  const lines: string[] = [];
  if (connection === "lost") {
    lines.push(t("connection.lost", { time: new Date(heardAt).toLocaleTimeString() }));
  } else if (feed.stale && feed.receivedMs !== null && status !== null) {
    const words = { age: span(feed.ageMs ?? 0), time: absolute(status.market_time_ms ?? feed.receivedMs) };
    lines.push(t("feed.stale", words));
  }
  if (status !== null && status.state !== "active") {
    const key = status.state === "halted" ? "halted.by" : "reducing.by";
    const time = status.state_since_ms === null ? "–" : `${clock(status.state_since_ms)} UTC`;
    lines.push(t(key, { actor: status.state_actor || "–", time, reason: short(status.state_reason, status.market_time_ms) || "–" }));
  }
  return (
    <>
      <div id={NOTICES} />
      <div role="status" data-testid="notices">
        {lines.map((line) => (
          <p key={line} className="border-t border-line bg-raised px-4 py-1.5 text-center">
            {line}
          </p>
        ))}
      </div>
    </>
  );
}
