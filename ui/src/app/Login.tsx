import { useMutation } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { api, keepCsrf, type Session } from "../client/api";
import { useText } from "../i18n/text";

interface LoginProps {
  /** Of a one-time link; empty when the person came without one. */
  token: string;
  onEnter: (session: Session) => void;
}

/** Lets a person in by one-time link or by the login secret. */
export function Login({ token, onEnter }: LoginProps) {
  const t = useText();
  const [secret, setSecret] = useState("");
  const login = useMutation({
    mutationFn: api.login,
    onSuccess: (session) => {
      keepCsrf(session.csrf);
      onEnter(session);
    },
  });
  const { mutate } = login;
  useEffect(() => {
    if (token) mutate({ secret: "", token });
  }, [token, mutate]);
  const byLink = login.variables?.token !== undefined && login.variables.token !== "";
  const message = login.isError ? (byLink ? t("login.used") : login.error.message) : null;
  return (
    <main className="mx-auto grid min-h-dvh w-[min(24rem,calc(100vw-2rem))] content-center gap-4">
      <h1 className="text-title font-semibold">{t("login.title")}</h1>
      <p className="text-muted">{t("login.help")}</p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          mutate({ secret, token: "" });
        }}
        className="grid gap-3"
      >
        <label className="grid gap-1 text-muted">
          {t("login.secret")}
          <input
            type="password"
            autoComplete="current-password"
            autoFocus
            value={secret}
            onChange={(event) => setSecret(event.target.value)}
            className="field"
          />
        </label>
        {message !== null && (
          <p role="alert" className="text-danger dark:text-down">
            {message}
          </p>
        )}
        <button type="submit" disabled={login.isPending || secret === ""} className="button justify-self-start py-1.5 font-semibold">
          {login.isPending ? t("login.busy") : t("login.enter")}
        </button>
      </form>
    </main>
  );
}
