import { useCallback, useEffect, useRef, useState, type ReactNode } from "react";
import { useText } from "../i18n/text";

interface ListProps {
  /** Height that the list may take, pixels. */
  height: number;
  children: ReactNode[];
}

/** Rows that scroll: the first view ends on a whole row and says how many more there are. */
export function List({ height, children }: ListProps) {
  const t = useText();
  const ref = useRef<HTMLUListElement>(null);
  const [hidden, setHidden] = useState(0);
  const fit = useCallback(() => {
    const list = ref.current;
    if (list === null) return;
    const top = list.firstElementChild?.getBoundingClientRect().top ?? 0;
    let whole = 0;
    let end = 0;
    for (const row of list.children) {
      const bottom = row.getBoundingClientRect().bottom - top;
      if (whole > 0 && bottom > height + 0.5) break;
      whole += 1;
      end = bottom;
    }
    list.style.maxHeight = `${Math.ceil(end)}px`;
    setHidden(list.children.length - whole);
  }, [height]);
  useEffect(fit);
  useEffect(() => {
    if (ref.current === null) return;
    const watcher = new ResizeObserver(fit);
    watcher.observe(ref.current);
    return () => watcher.disconnect();
  }, [fit]);
  return (
    <>
      <ul ref={ref} className="overflow-y-auto">
        {children}
      </ul>
      {hidden > 0 && (
        <p className="border-t border-line pt-1 text-small text-muted">{t("list.more", { n: hidden })}</p>
      )}
    </>
  );
}
