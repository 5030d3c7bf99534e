import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../i18n";
import { dateTime, duration, localZone, parseUtc } from "../time";

export function Panel(props: { title: string; note?: string; wide?: boolean; children: ComponentChildren }) {
  return (
    <section class={`panel ${props.wide ? "wide" : ""}`} aria-label={props.title}>
      <h2>{props.title}{props.note && <span class="quiet"> {props.note}</span>}</h2>
      {props.wide ? <div class="scroll" tabIndex={0} role="region" aria-label={props.title}>{props.children}</div> : props.children}
    </section>
  );
}

// How long ago, with the exact moment beside it for who needs it.
export function Ago({ utc, now }: { utc: string | undefined; now: number }) {
  if (!utc) return <span class="quiet">{t("time.never")}</span>;
  const at = parseUtc(utc);
  const text = now - at < 1000 ? t("time.now") : t("time.ago", { length: duration(now - at) });
  return <time dateTime={utc} title={dateTime(at, localZone())}>{text}</time>;
}

export function Bar({ used, total, label }: { used: number; total: number; label: string }) {
  const ref = useRef<HTMLElement>(null);
  const share = total > 0 ? Math.min(1, used / total) : 0;
  useEffect(() => ref.current?.style.setProperty("width", `${(100 * share).toFixed(1)}%`));
  return (
    <span class="bar-with-text">
      <span class={`bar ${share > 0.9 ? "attention" : ""}`} aria-hidden="true"><i ref={ref} /></span>
      <span class="num">{label}</span>
    </span>
  );
}
