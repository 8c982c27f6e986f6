import { useId, type ReactNode } from "react";

interface PanelProps {
  title: string;
  /** The answer to the panel's question, large. */
  answer?: ReactNode;
  /** What the answer is of. */
  evidence?: ReactNode;
  actions?: ReactNode;
  className?: string;
  /** Makes the panel a place to scroll to. */
  anchor?: string;
  children: ReactNode;
}

/** One question, its answer large, its evidence below. */
export function Panel({ title, answer, evidence, actions, className = "", anchor, children }: PanelProps) {
  const id = useId();
  return (
    <section id={anchor} aria-labelledby={id} className={`min-w-0 scroll-mt-40 lg:scroll-mt-24 ${className}`}>
      <div className="flex flex-wrap items-baseline gap-x-3 gap-y-1 pb-2">
        <h2 id={id} className="w-full text-base text-muted">
          {title}
        </h2>
        {answer !== undefined && <p className="text-answer font-semibold">{answer}</p>}
        {evidence !== undefined && <p className="text-base text-muted">{evidence}</p>}
        {actions !== undefined && <div className="ml-auto flex gap-2 text-small">{actions}</div>}
      </div>
      {children}
    </section>
  );
}

/** What an empty panel teaches. */
export function Empty({ children }: { children: ReactNode }) {
  return <p className="border-t border-line py-3 text-muted">{children}</p>;
}
