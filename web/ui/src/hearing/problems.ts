// What is wrong, in words: what, which stream, when.
import { t } from "../i18n";
import { clock, dateTime, parseUtc } from "../time";
import type { Hearing } from "../types";
import type { Params, Problem } from "../verify/chain";
import { streamName } from "./names";

export function words(params: Params, hearing: Hearing): Params {
  const out: Params = {};
  for (const [key, value] of Object.entries(params)) {
    if (key === "stream") out[key] = streamName(String(value), hearing.streams);
    else if (key === "at") out[key] = clock(parseUtc(String(value)), hearing.zone);
    else if (key === "end" && typeof value === "number") out[key] = clock(value, hearing.zone);
    else if (key === "utc" || key === "since") out[key] = value ? dateTime(parseUtc(String(value)), hearing.zone) : "";
    else if (typeof value === "string" && value.startsWith("@")) out[key] = t(value.slice(1));
    else out[key] = value;
  }
  return out;
}

export function problemText(problem: Problem, hearing: Hearing): string {
  return t(`problem.${problem.code}`, words(problem.params, hearing));
}
