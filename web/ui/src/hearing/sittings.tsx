// An adjourned hearing goes on as a new one, weeks later or in another room: all its sittings in order, and at the ends of the
// timeline the ones that adjoin.
import { useEffect, useRef } from "preact/hooks";
import { nameOf, t } from "../i18n";
import { href } from "../router";
import { clock, date, duration, parseUtc } from "../time";
import type { Hearing, ShownSitting } from "../types";

export function Sittings({ hearing }: { hearing: Hearing }) {
  const list = useRef<HTMLOListElement>(null);
  // On a narrow screen the list scrolls: the sitting that is shown stands in sight.
  useEffect(() => {
    const here = list.current?.querySelector<HTMLElement>("[aria-current]")?.parentElement;
    if (here) list.current!.scrollLeft = here.offsetLeft - 24;
  }, []);
  if (!hearing.sittings) return null;
  return (
    <nav class="sittings" aria-label={t("sittings.label")}>
      <ol ref={list}>
        {hearing.sittings.map((sitting, i) => (
          <li key={sitting.hidden ? i : sitting.id}>
            {sitting.hidden ? <Hidden number={i + 1} /> : <SittingLink sitting={sitting} number={i + 1} hearing={hearing} />}
          </li>
        ))}
      </ol>
    </nav>
  );
}

function SittingLink({ sitting, number, hearing }: { sitting: ShownSitting; number: number; hearing: Hearing }) {
  const start = parseUtc(sitting.start);
  const here = sitting.id === hearing.id;
  return (
    <a href={href({ hearing: sitting.id })} aria-current={here ? "page" : undefined}>
      <span><strong>{t("sittings.number", { number: String(number) })}</strong> · <span class="num">{duration(sitting.duration_ms)}</span>
        {sitting.state === "open" && <span class="state live"> ● {t("state.open")}</span>}</span>
      <span>{date(start, sitting.zone)}{t("list.comma")}<span class="num">{clock(start, sitting.zone, false)}</span></span>
      <span>{placeOf(sitting, hearing)}</span>
    </a>
  );
}

function Hidden({ number }: { number: number }) {
  return (
    <div class="hidden-sitting">
      <strong>{t("sittings.number", { number: String(number) })}</strong>
      <span>{t("sittings.hidden")}</span>
      <small class="quiet">{t("sittings.whom-to-ask")}</small>
    </div>
  );
}

// The room; with its court when that is another one.
function placeOf(sitting: ShownSitting, hearing: Hearing): string {
  const room = nameOf(sitting.room_names, sitting.room);
  return sitting.court === hearing.court ? room : t("sittings.place", { room, court: nameOf(sitting.court_names, sitting.court) });
}

// What adjoins the timeline: the sitting before its beginning on the left, those after its end on the right.
export function Adjoining({ hearing }: { hearing: Hearing }) {
  if (!hearing.sittings) return null;
  const shown = hearing.sittings.filter((s): s is ShownSitting => !s.hidden);
  const before = shown.find((s) => s.id === hearing.continues);
  const after = shown.filter((s) => s.continues === hearing.id);
  return (
    <div class="adjoining">
      <p>{before ? <AdjoiningLink sitting={before} hearing={hearing} label="sittings.from" /> : hearing.continues && <span class="quiet">{t("sittings.from-hidden")}</span>}</p>
      <p>{after.map((s) => <AdjoiningLink key={s.id} sitting={s} hearing={hearing} label="sittings.on" />)}</p>
    </div>
  );
}

function AdjoiningLink({ sitting, hearing, label }: { sitting: ShownSitting; hearing: Hearing; label: "sittings.from" | "sittings.on" }) {
  const words = t(label, { date: date(parseUtc(sitting.start), sitting.zone), room: placeOf(sitting, hearing) });
  return <a href={href({ hearing: sitting.id })}>{words}</a>;
}
