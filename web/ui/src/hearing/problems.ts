// What is wrong, in words: what, which stream, when.
import { t } from "../i18n";
import { clock, dateTime, parseUtc } from "../time";
import type { Hearing } from "../types";
import type { Params, Problem } from "../verify/chain";
import { siteOf, streamName } from "./names";

export function words(params: Params, hearing: Hearing): Params {
  const out: Params = {};
  for (const [key, value] of Object.entries(params)) {
    if (key === "stream") out[key] = streamName(String(value), hearing.streams);
    else if (key === "shown" && typeof value === "string" && value.endsWith("Z")) out[key] = clock(parseUtc(value), hearing.zone);
    else if (key === "names") out[key] = String(value).split(", ").map(siteOf).join(t("list.comma"));
    else if (key === "at") out[key] = clock(parseUtc(String(value)), hearing.zone);
    else if (key === "end" && typeof value === "number") out[key] = clock(value, hearing.zone);
    else if (key === "utc" || key === "since") out[key] = value ? dateTime(parseUtc(String(value)), hearing.zone) : "";
    else if (typeof value === "string" && value.startsWith("@")) out[key] = t(value.slice(1));
    else out[key] = value;
  }
  return out;
}

// Faults that leave no stretch of the hearing proven.
const kWhole = new Set(["main-signature", "station-unknown", "station-key", "revocation", "station-revoked", "not-in-main", "station-signature", "filed-signature",
  "receipt-signature", "entries-unreadable", "root", "history-changed", "opening", "main-shrank", "key-changed", "main-went-back", "main-split",
  "promotion", "epoch-went-back"]);

export function problemText(problem: Problem, hearing: Hearing): string {
  const sentence = t(`problem.${problem.code}`, words(problem.params, hearing));
  if (!kWhole.has(problem.code) || !hearing.start || !hearing.end) return sentence;
  const place = t("problem.place.whole", { from: clock(parseUtc(hearing.start), hearing.zone), to: clock(parseUtc(hearing.end), hearing.zone) });
  return t("problem.with-place", { problem: sentence, place });
}
