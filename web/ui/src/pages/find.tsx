// Find: one field, results while typing, the whole query in the address.
import { useEffect, useRef, useState } from "preact/hooks";
import { api } from "../api";
import { Filters, hasFilter } from "../find/filters";
import { ResultList } from "../find/results";
import { t } from "../i18n";
import { Icon } from "../parts/icons";
import { Notice } from "../parts/notice";
import { currentQuery, go, href, type Query } from "../router";
import { dayOf, localZone } from "../time";
import type { HearingList, Places, Row } from "../types";

const kDebounceMs = 120;
const kPage = 50;

interface Found { hearings: Row[]; cursor: string | undefined; count: number; exact: boolean; query: Query }

export function Find({ query, places }: { query: Query; places: Places }) {
  const [typed, setTyped] = useState(query["q"] ?? "");
  const [found, setFound] = useState<Found | undefined>();
  const [today, setToday] = useState<Row[] | undefined>();
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const running = useRef<AbortController>();
  const key = JSON.stringify(query);
  const asked = (query["q"] ?? "") !== "" || hasFilter(query);

  const run = async (cursor?: string) => {
    running.current?.abort();
    const abort = new AbortController();
    running.current = abort;
    setBusy(true);
    try {
      const page = await api.hearings({ ...query, limit: kPage, cursor }, abort.signal);
      setFound((old) => merge(cursor ? old : undefined, page, query));
      setError(undefined);
    } catch (e) {
      if (abort.signal.aborted) return;
      setError(e);
    }
    if (running.current === abort) setBusy(false);
  };
  useEffect(() => {
    if (asked) void run();
    else {
      running.current?.abort();
      setFound(undefined);
      setBusy(false);
      loadToday().then(setToday, setError);
    }
    return () => running.current?.abort();
  }, [key]);
  useEffect(() => field.current?.focus(), []);
  useEffect(() => {
    if ((query["q"] ?? "") !== typed.trim()) setTyped(query["q"] ?? "");
  }, [query["q"]]);
  useEffect(() => {
    if (typed.trim() === (query["q"] ?? "")) return;
    const timer = setTimeout(() => change({ q: typed.trim() }, true), kDebounceMs);
    return () => clearTimeout(timer);
  }, [typed]);

  const change = (part: Query, replace = false) => go(href({ ...currentQuery(), ...part }), replace);
  const rows = asked ? found?.hearings : today;
  return (
    <>
      <h1 class="hidden">{t("find.title")}</h1>
      <div class="search" role="search">
        <div class="search-field">
          <Icon name="search" />
          <input ref={field} type="search" value={typed} aria-label={t("find.label")} placeholder={t("find.placeholder")}
            maxLength={200} autoComplete="off" spellcheck={false} aria-controls="results"
            onInput={(e) => setTyped(e.currentTarget.value)}
            onKeyDown={(e) => {
              if (e.key === "ArrowDown") focusRow(0, e);
              if (e.key === "Enter" && rows?.[0] && !busy) go(href({ hearing: rows[0].id }));
              if (e.key === "Escape") setTyped("");
            }} />
        </div>
        <Filters query={query} places={places} onChange={change} />
      </div>
      <div class="count" role="status" aria-live="polite">
        {asked ? countText(found, busy && !found) : t("find.today")}
        {!asked && <span class="quiet"> {t("find.today-note")}</span>}
      </div>
      {error !== undefined && <Notice error={error} what={t("find.failed")} onRetry={() => void run()} />}
      <ResultList rows={rows} words={query["q"] ?? ""} empty={<Empty asked={asked} filtered={hasFilter(query)} />} onMove={focusRow} />
      {asked && found?.cursor && (
        <p class="more"><button onClick={() => void run(found.cursor)} disabled={busy}>{t("find.more")}</button></p>
      )}
    </>
  );

  function focusRow(index: number, event: KeyboardEvent) {
    const links = document.querySelectorAll<HTMLAnchorElement>("#results a.row");
    if (index < 0) field.current?.focus();
    else if (links[index]) links[index]!.focus();
    else return;
    event.preventDefault();
  }
}

function merge(old: Found | undefined, page: HearingList, query: Query): Found {
  return {
    hearings: [...(old?.hearings ?? []), ...page.hearings],
    cursor: page.next_cursor, count: page.count, exact: page.count_is_exact, query,
  };
}

function countText(found: Found | undefined, busy: boolean): string {
  if (busy || !found) return t("find.searching");
  if (found.count === 0) return t("find.none");
  return t(found.exact ? "find.count" : "find.count-more", { n: found.count });
}

// Being recorded now first, then the rest of today.
async function loadToday(): Promise<Row[]> {
  const day = dayOf(Date.now(), localZone());
  const [open, today] = await Promise.all([
    api.hearings({ state: "open", limit: kPage }),
    api.hearings({ from: day, to: day, limit: kPage }),
  ]);
  const seen = new Set(open.hearings.map((row) => row.id));
  return [...open.hearings, ...today.hearings.filter((row) => !seen.has(row.id))];
}

function Empty({ asked, filtered }: { asked: boolean; filtered: boolean }) {
  if (!asked) return <p>{t("find.nothing-today")}</p>;
  return (
    <div>
      <p>{t("find.nothing")}</p>
      <ul>
        <li>{t("find.try-number")}</li>
        <li>{t("find.try-name")}</li>
        {filtered && <li>{t("find.try-filter")}</li>}
      </ul>
    </div>
  );
}
