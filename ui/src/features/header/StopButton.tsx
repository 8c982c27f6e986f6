import { useMutation } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { createPortal } from "react-dom";
import { api } from "../../client/api";
import { useText } from "../../i18n/text";
import { useLive } from "../../live/hooks";
import { ResumeDialog } from "./ResumeDialog";

/** Where the notices of the header appear. */
export const NOTICES = "notices";

/** The emergency stop: no confirmation. Resuming is another button and needs the typed phrase. */
export function StopButton() {
  const t = useText();
  const state = useLive((live) => live.status?.state);
  const [resuming, setResuming] = useState(false);
  const stop = useMutation({ mutationFn: () => api.halt(t("stop.reason")), retry: 2 });
  const halted = state === "halted";
  const { mutate, reset } = stop;

  useEffect(() => {
    const keys = (event: KeyboardEvent) => {
      if (event.key === "." && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        mutate();
      }
    };
    window.addEventListener("keydown", keys);
    return () => window.removeEventListener("keydown", keys);
  }, [mutate]);
  useEffect(() => {
    if (halted) reset();
  }, [halted, reset]);

  const busy = stop.isPending || (stop.isSuccess && !halted);
  const words = halted ? t("stop.done") : busy ? t("stop.sending") : t("stop");
  const notices = document.getElementById(NOTICES);
  return (
    <>
      {state !== undefined && state !== "active" && (
        <button className="button py-1.5" onClick={() => setResuming(true)}>
          {t("resume")}
        </button>
      )}
      <button
        data-testid="stop"
        title={t("stop.hint")}
        disabled={halted}
        onClick={() => mutate()}
        className="min-w-32 rounded border-2 border-danger bg-danger px-4 py-1.5 text-large font-semibold text-on-danger hover:brightness-110 disabled:border-line disabled:bg-raised disabled:text-muted"
      >
        {words}
      </button>
      {resuming && <ResumeDialog onClose={() => setResuming(false)} />}
      {stop.isError &&
        notices !== null &&
        createPortal(
          <p role="alert" className="bg-danger px-4 py-2 text-on-danger">
            {t("stop.failed", { reason: stop.error.message })}
          </p>,
          notices,
        )}
    </>
  );
}
