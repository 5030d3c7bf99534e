// Streams carry codes ("cam-bench"); people read names ("Camera: bench"). Words that no dictionary knows are numbered.
import { has, t } from "../i18n";
import type { StreamInfo } from "../types";

export function streamName(name: string, streams: readonly StreamInfo[]): string {
  return named(name, streams, "");
}

// Beside a sign that says camera or microphone already.
export function shortStreamName(name: string, streams: readonly StreamInfo[]): string {
  return named(name, streams, ".short");
}

function named(name: string, streams: readonly StreamInfo[], form: "" | ".short"): string {
  const stream = streams.find((s) => s.name === name);
  if (!stream) return name;
  const kind = stream.source === "screen" ? "screen" : stream.medium === "video" ? "camera" : "microphone";
  const words = name.split("-").filter((word) => !/^(cam|camera|mic|microphone|video|audio|screen|track)\d*$/.test(word));
  const number = /(\d+)$/.exec(name)?.[1];
  const known = words.filter((word) => has(`stream.word.${word}`)).map((word) => t(`stream.word.${word}`));
  if (known.length > 0 && known.length >= words.filter((w) => !/^\d+$/.test(w)).length) {
    return t(`stream.${kind}${form}`, { which: known.join(" ") + (number && !known.includes(number) ? ` ${number}` : "") });
  }
  const same = streams.filter((s) => s.medium === stream.medium);
  const which = number ?? String(same.indexOf(stream) + 1);
  return t(`stream.${kind}.numbered`, { which });
}

export function streamsText(names: readonly string[], streams: readonly StreamInfo[]): string {
  if (names.includes("*")) return t("stream.all");
  return names.map((name) => streamName(name, streams)).join(t("list.comma"));
}

// "dr.court.example/holder" is the name of a key; people know the site.
export const siteOf = (keyName: string): string => keyName.replace(/\/[^/]*$/, "");
