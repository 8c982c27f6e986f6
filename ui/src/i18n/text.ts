import { useDisplay } from "../lib/display";
import { catalogue, type Key } from "./catalogue";

export type Translate = (key: Key, values?: Record<string, string | number>) => string;

/** Words of the chosen language, with the values filled in. */
export function useText(): Translate {
  const { language } = useDisplay();
  return (key, values = {}) =>
    catalogue[key][language].replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ""));
}
