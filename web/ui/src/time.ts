// Times as people read them: the wall clock of the courtroom first, dates in the reader's language.
import { languageTag, t } from "./i18n";

const kFormats = new Map<string, Intl.DateTimeFormat>();

function format(zone: string, name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${languageTag()} ${zone} ${name}`;
  let found = kFormats.get(key);
  if (!found) {
    found = new Intl.DateTimeFormat(languageTag(), { timeZone: zone, hourCycle: "h23", ...options });
    kFormats.set(key, found);
  }
  return found;
}

export const parseUtc = (text: string | undefined): number => (text ? Date.parse(text) : NaN);
export const toUtc = (ms: number): string => new Date(Math.round(ms)).toISOString();
export const localZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;

export function clock(ms: number, zone: string, seconds = true): string {
  const options: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit" };
  if (seconds) options.second = "2-digit";
  return format(zone, seconds ? "hms" : "hm", options).format(ms);
}

export function date(ms: number, zone: string): string {
  return format(zone, "date", { weekday: "short", day: "numeric", month: "short", year: "numeric" }).format(ms);
}

export function longDate(ms: number, zone: string): string {
  return format(zone, "long", { weekday: "long", day: "numeric", month: "long", year: "numeric" }).format(ms);
}

export function dateTime(ms: number, zone: string): string {
  return `${format(zone, "short", { day: "numeric", month: "short", year: "numeric" }).format(ms)} ${clock(ms, zone)}`;
}

// "2026-11-22" in a zone: for date fields and comparisons.
export function dayOf(ms: number, zone: string): string {
  const parts = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" });
  return parts.format(ms);
}

// The last moment of a day ("2026-11-22") in a zone.
export function endOfDay(day: string, zone: string): number {
  const shown = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "medium" });
  const ahead = (ms: number) => Date.parse(`${shown.format(ms).replace(" ", "T")}Z`) - ms;
  const wall = Date.parse(`${day}T23:59:59Z`);
  const near = wall - ahead(wall);
  return wall - ahead(near) + 999;
}

export function zoneName(ms: number, zone: string): string {
  const parts = format(zone, "zone", { timeZoneName: "long" }).formatToParts(ms);
  return `${parts.find((p) => p.type === "timeZoneName")?.value ?? zone} (${zone})`;
}

// "0:12:05": an offset from the start.
export function offset(ms: number): string {
  const sign = ms < 0 ? "−" : "";
  const s = Math.floor(Math.abs(ms) / 1000);
  const two = (n: number) => String(n).padStart(2, "0");
  return `${sign}${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
}

// "4 h 12 min", "12 min 5 s", "8 s": a length for people.
export function duration(ms: number): string {
  const s = Math.round(ms / 1000);
  const h = Math.floor(s / 3600);
  const m = Math.floor(s / 60) % 60;
  const parts: string[] = [];
  if (h) parts.push(t("unit.h", { v: String(h) }));
  if (m) parts.push(t("unit.min", { v: String(m) }));
  if (!h && (s % 60 || !m)) parts.push(t("unit.s", { v: s === 0 && ms > 0 ? "<1" : String(s % 60) }));
  return parts.join(" ");
}

// Wall-clock text ("14:05", "14:05:09") on the day of `near`, in a zone; undefined when it is no time.
export function parseClock(text: string, near: number, zone: string): number | undefined {
  const match = /^\s*(\d{1,2})\s*[:.h：]\s*(\d{1,2})(?:\s*[:.m：]\s*(\d{1,2}))?\s*s?\s*$/.exec(text);
  if (!match) return undefined;
  const [h, m, s] = [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)];
  if (h > 23 || m > 59 || s > 59) return undefined;
  const shown = clock(near, zone).split(":").map(Number);
  const delta = (h - shown[0]!) * 3600 + (m - shown[1]!) * 60 + (s - shown[2]!);
  return Math.floor(near / 1000) * 1000 + delta * 1000;
}
