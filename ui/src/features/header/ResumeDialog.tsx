import { useMutation } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { api } from "../../client/api";
import { useText } from "../../i18n/text";
import { useLive } from "../../live/hooks";

const PHRASE = "RESUME";

/** Says what resuming will do, and asks for the phrase. */
export function ResumeDialog({ onClose }: { onClose: () => void }) {
  const t = useText();
  const dialog = useRef<HTMLDialogElement>(null);
  const [phrase, setPhrase] = useState("");
  const status = useLive((state) => state.status);
  const instruments = useLive((state) => state.instruments.length);
  const open = useLive((state) => state.positions.length);
  const resume = useMutation({ mutationFn: () => api.resume(phrase, "resumed from the dashboard") });
  useEffect(() => dialog.current?.showModal(), []);
  useEffect(() => {
    if (status?.state === "active") onClose();
  }, [status?.state, onClose]);
  const what = t("resume.what", {
    strategy: status?.strategy ?? "",
    mode: status === null ? "" : t(`mode.${status.mode}`),
    n: instruments,
    open,
  });
  return (
    <dialog
      ref={dialog}
      onClose={onClose}
      aria-labelledby="resume-title"
      className="m-auto w-[min(28rem,calc(100vw-2rem))] rounded border border-line bg-ground p-5 text-ink backdrop:bg-ground/70"
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          resume.mutate();
        }}
        className="grid gap-3"
      >
        <h2 id="resume-title" className="text-answer font-semibold">
          {t("resume.title")}
        </h2>
        <p>{what}</p>
        <label className="grid gap-1 text-muted">
          {t("resume.type")}
          <input
            value={phrase}
            onChange={(event) => setPhrase(event.target.value)}
            autoComplete="off"
            autoFocus
            spellCheck={false}
            className="field font-mono"
          />
        </label>
        {resume.isError && <p role="alert" className="text-danger dark:text-down">{resume.error.message}</p>}
        <div className="flex justify-end gap-2">
          <button type="button" className="button" onClick={onClose}>
            {t("cancel")}
          </button>
          <button type="submit" className="button font-semibold" disabled={phrase !== PHRASE || resume.isPending || resume.isSuccess}>
            {resume.isSuccess ? t("resume.sending") : t("resume.confirm")}
          </button>
        </div>
      </form>
    </dialog>
  );
}
