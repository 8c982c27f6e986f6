import { useQuery, useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import { api, keepCsrf, type Session } from "../client/api";
import { useText } from "../i18n/text";
import { Login } from "./Login";

const Dashboard = lazy(() => import("./Dashboard"));

/** The token of a one-time link; taken out of the address so that it is not kept. */
function takeToken(): string {
  const token = new URLSearchParams(window.location.search).get("token") ?? "";
  if (window.location.pathname !== "/") window.history.replaceState(null, "", "/");
  return token;
}

/** Null when nobody is logged in. */
async function currentSession(): Promise<Session | null> {
  const session = await api.session();
  if (session !== null) keepCsrf(session.csrf);
  return session;
}

export function App() {
  const t = useText();
  const client = useQueryClient();
  const session = useQuery({ queryKey: ["session"], queryFn: currentSession, staleTime: Infinity });
  const [token, setToken] = useState(takeToken);
  const enter = (found: Session) => {
    setToken("");
    client.setQueryData(["session"], found);
  };
  if (session.data === undefined) {
    if (!session.isError) return null;
    return (
      <main role="alert" className="mx-auto grid min-h-dvh w-[min(28rem,calc(100vw-2rem))] content-center gap-4">
        <p>{t("error.server", { reason: session.error.message })}</p>
        <button className="button justify-self-start" onClick={() => void session.refetch()}>
          {t("retry")}
        </button>
      </main>
    );
  }
  if (session.data === null) return <Login token={token} onEnter={enter} />;
  return (
    <Suspense fallback={null}>
      <Dashboard />
    </Suspense>
  );
}
