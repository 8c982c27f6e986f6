import { useMutation } from "@tanstack/react-query";
import { useEffect, useId, useRef, useState } from "react";
import { api } from "../../client/api";
import type { Key } from "../../i18n/catalogue";
import { useText } from "../../i18n/text";
import { changeDisplay, useDisplay, type Language, type Palette, type Theme } from "../../lib/display";

const THEMES: Theme[] = ["system", "light", "dark"];
const PALETTES: Palette[] = ["green-red", "blue-orange", "red-blue"];
const LANGUAGES: { value: Language; name: string }[] = [
  { value: "en", name: "English" },
  { value: "ko", name: "한국어" },
];

/** Theme, colours, language, and the way out. */
export function DisplayMenu({ up = false }: { up?: boolean }) {
  const t = useText();
  const display = useDisplay();
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const id = useId();
  const logout = useMutation({ mutationFn: api.logout, onSettled: () => window.location.assign("/login") });
  useEffect(() => {
    if (!open) return;
    const close = (event: Event) => {
      const escaped = event instanceof KeyboardEvent && event.key === "Escape";
      const outside = event.type === "pointerdown" && !box.current?.contains(event.target as Node);
      if (escaped || outside) setOpen(false);
    };
    window.addEventListener("keydown", close);
    window.addEventListener("pointerdown", close);
    return () => {
      window.removeEventListener("keydown", close);
      window.removeEventListener("pointerdown", close);
    };
  }, [open]);
  return (
    <div ref={box} className="relative">
      <button className="button py-1.5" aria-expanded={open} aria-controls={id} onClick={() => setOpen(!open)}>
        {t("head.display")}
      </button>
      {open && (
        <div
          id={id}
          role="group"
          aria-label={t("display.title")}
          className={`absolute right-0 z-30 grid w-64 gap-3 rounded border border-line bg-ground p-4 ${up ? "bottom-full mb-1" : "mt-1"}`}
        >
          <Choice
            name={t("display.theme")}
            value={display.theme}
            options={THEMES.map((theme) => ({ value: theme, name: t(`display.${theme}` as Key) }))}
            onChange={(theme) => changeDisplay({ theme })}
          />
          <Choice
            name={t("display.palette")}
            value={display.palette}
            options={PALETTES.map((palette) => ({ value: palette, name: t(`display.${palette}` as Key) }))}
            onChange={(palette) => changeDisplay({ palette })}
          />
          <Choice
            name={t("display.language")}
            value={display.language}
            options={LANGUAGES}
            onChange={(language) => changeDisplay({ language })}
          />
          <button className="button" onClick={() => logout.mutate()}>
            {t("display.logout")}
          </button>
        </div>
      )}
    </div>
  );
}

interface ChoiceProps<T extends string> {
  name: string;
  value: T;
  options: { value: T; name: string }[];
  onChange: (value: T) => void;
}

function Choice<T extends string>({ name, value, options, onChange }: ChoiceProps<T>) {
  return (
    <label className="grid min-w-0 gap-1 text-muted">
      {name}
      <select value={value} onChange={(event) => onChange(event.target.value as T)} className="field w-full min-w-0">
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.name}
          </option>
        ))}
      </select>
    </label>
  );
}
