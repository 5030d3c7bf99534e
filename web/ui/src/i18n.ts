// Words in the reader's language. Keys are flat; "key#one" and "key#other" are plural forms. Missing members of the
// object given are shown as their names, so that a mistake is seen.
import en from "./lang/en.json";

export type Language = "en" | "fr" | "zh";
export const kLanguages: { code: Language; name: string; tag: string }[] = [
  { code: "zh", name: "中文", tag: "zh-CN" },
  { code: "fr", name: "Français", tag: "fr" },
  { code: "en", name: "English", tag: "en-GB" },
];
type Dictionary = Record<string, string>;
type Params = Record<string, string | number>;

const kItem = "greffe.language";
let current: Language = "en";
let words: Dictionary = en;
let plural = new Intl.PluralRules("en");

let added: Record<Language, () => Promise<Dictionary>> | undefined;

// Words of a page that has more than the common ones, or says some of them otherwise. Before the first setLanguage().
export function addWords(more: Record<Language, () => Promise<Dictionary>>): void {
  added = more;
}

export const language = (): Language => current;
export const languageTag = (): string => kLanguages.find((l) => l.code === current)!.tag;

export function chosenLanguage(account?: string): Language {
  const wanted = [localStorage.getItem(kItem), account, ...navigator.languages];
  for (const tag of wanted) {
    const found = kLanguages.find((l) => tag?.toLowerCase().startsWith(l.code));
    if (found) return found.code;
  }
  return "en";
}

export async function setLanguage(code: Language, remember: boolean): Promise<void> {
  if (code === "fr") words = (await import("./lang/fr.json")).default;
  else if (code === "zh") words = (await import("./lang/zh.json")).default;
  else words = en;
  if (added) words = { ...words, ...(await added[code]()) };
  current = code;
  plural = new Intl.PluralRules(languageTag());
  document.documentElement.lang = languageTag();
  if (remember) localStorage.setItem(kItem, code);
}

export function has(key: string): boolean {
  return key in words;
}

export function t(key: string, params: Params = {}): string {
  let pattern = words[key];
  if (pattern === undefined && typeof params["n"] === "number") {
    pattern = words[`${key}#${plural.select(params["n"])}`] ?? words[`${key}#other`];
  }
  if (pattern === undefined) return key;
  return pattern.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = params[name];
    if (value === undefined) return `{${name}}`;
    return typeof value === "number" ? number(value) : value;
  });
}

export function number(value: number): string {
  return new Intl.NumberFormat(languageTag()).format(value);
}

export function bytes(value: number): string {
  const units = current === "fr" ? ["o", "ko", "Mo", "Go", "To", "Po"] : ["B", "kB", "MB", "GB", "TB", "PB"];
  let at = 0;
  let rest = value;
  while (rest >= 1000 && at < units.length - 1) {
    rest /= 1000;
    at++;
  }
  const digits = rest < 10 && at > 0 ? 1 : 0;
  const text = new Intl.NumberFormat(languageTag(), { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `${text.format(rest)} ${units[at]}`;
}

// A display name in the reader's language, then in any; a code is never shown while a name exists.
export function nameOf(names: Record<string, string | undefined> | undefined, fallback: string): string {
  return names?.[current] ?? names?.["en"] ?? names?.["fr"] ?? names?.["zh"] ?? fallback;
}
