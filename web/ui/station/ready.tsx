// No hearing is open: today's list, one touch each; or a hearing that stands on no list.
import { useEffect, useRef, useState } from "preact/hooks";
import { languageTag, t } from "../src/i18n";
import { Icon } from "../src/parts/icons";
import { Notice } from "../src/parts/notice";
import { clock, parseUtc } from "../src/time";
import type { Actions } from "./actions";
import { zoneOf } from "./band";
import type { Desk, State } from "./desk";
import type { Shown } from "./dialogs";
import { detailsOf, docket, documentOf, type Docket, type DocketRow, type Typed } from "./opening";
import { Sheet } from "./sheet";

const kAgainMs = 20_000;

export function useDocket(wanted: boolean): { list: Docket | undefined; error: unknown } {
  const [list, setList] = useState<Docket | undefined>();
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    if (!wanted) return undefined;
    const look = () => void docket().then((found) => {
      setList(found);
      setError(undefined);
    }, setError);
    look();
    const timer = setInterval(look, kAgainMs);
    return () => clearInterval(timer);
  }, [wanted]);
  return { list, error };
}

// What becomes of the document of a hearing that was chosen or typed, and the word for it.
export interface Choice { off: boolean; word: string; choose: (document: string) => void }

function Row({ state, row, off, word, choose }: Choice & { state: State; row: DocketRow }) {
  const details = detailsOf(row);
  const people = details.parties.map((party) => party.name).join(t("list.comma"));
  return (
    <li>
      <button class="docket-row" disabled={off} onClick={() => choose(row.details)}>
        <time>{details.scheduled ? clock(parseUtc(details.scheduled), zoneOf(state), false) : ""}</time>
        <span class="docket-what">
          <b>{details.cases.join(t("list.comma")) || details.title || t("station.no-case")}</b>
          {details.cases.length > 0 && details.title && <span>{details.title}</span>}
          {people && <span class="quiet">{people}</span>}
          {details.judges.length > 0 && <span class="quiet">{details.judges.join(t("list.comma"))}</span>}
        </span>
        {!details.public && <span class="docket-closed"><Icon name="lock" />{t("open.not-public")}</span>}
        <span class="docket-go"><Icon name="dot" />{word}</span>
      </button>
    </li>
  );
}

interface ListProps { state: State; list: Docket | undefined; error: unknown; focusFirst?: boolean }

export function DocketList({ state, list, error, focusFirst = false, ...choice }: Choice & ListProps) {
  const rows = useRef<HTMLOListElement>(null);
  useEffect(() => {
    if (focusFirst) rows.current?.querySelector("button")?.focus();
  }, [list !== undefined]);
  return (
    <>
      {error !== undefined && <Notice error={error} what={t("open.today")} />}
      {list && list.rows.length === 0 && <p class="quiet">{t("open.none-today")}</p>}
      {list && <ol class="docket" ref={rows}>{list.rows.map((row) => <Row key={row.line} state={state} row={row} {...choice} />)}</ol>}
    </>
  );
}

export function ByHand({ off, word, choose, autofocus = false }: Choice & { autofocus?: boolean }) {
  const [typed, setTyped] = useState<Typed>({ cases: "", parties: "", title: "", judges: "", isPublic: true });
  const set = (member: Partial<Typed>) => setTyped({ ...typed, ...member });
  const nothing = !typed.cases.trim() && !typed.title.trim();
  const submit = (event: Event) => {
    event.preventDefault();
    if (!nothing) choose(documentOf(typed, languageTag()));
  };
  return (
    <form class="by-hand" onSubmit={submit}>
      <div class="fields">
        <label>{t("open.cases")}
          <input id="open-cases" value={typed.cases} maxLength={400} autoComplete="off" spellcheck={false} autoFocus={autofocus}
            onInput={(e) => set({ cases: e.currentTarget.value })} /></label>
        <label>{t("open.title-label")}
          <input value={typed.title} maxLength={400} autoComplete="off" onInput={(e) => set({ title: e.currentTarget.value })} /></label>
        <label>{t("open.parties")}
          <textarea rows={3} value={typed.parties} maxLength={20000} onInput={(e) => set({ parties: e.currentTarget.value })} /></label>
        <label>{t("open.judges")}
          <textarea rows={3} value={typed.judges} maxLength={1000} onInput={(e) => set({ judges: e.currentTarget.value })} /></label>
      </div>
      <label class="tick"><input type="checkbox" checked={typed.isPublic} onChange={(e) => set({ isPublic: e.currentTarget.checked })} /> {t("open.public")}</label>
      <button class="main huge" disabled={off || nothing}><Icon name="dot" />{word}</button>
    </form>
  );
}

export function OpenByHand({ actions, off, autofocus = false }: { actions: Actions; off: boolean; autofocus?: boolean }) {
  return (
    <>
      <ByHand off={off} autofocus={autofocus} word={t("open.start")} choose={(details) => void actions.run("open", { details })} />
      <p class="quiet small">{t("open.correctable")}</p>
    </>
  );
}

interface Props { desk: Desk; state: State; actions: Actions; show: (what: Shown) => void }

export function Ready({ desk, state, actions, show }: Props) {
  const { list, error } = useDocket(state.page.docket);
  const off = actions.busy || desk.word === "lost" || state.trouble !== undefined;
  return (
    <section class="ready" aria-label={t("open.today")}>
      <Sheet finished={actions.finished} />
      {!state.page.docket ? (
        <><div class="ready-head"><h2>{t("open.title")}</h2></div><OpenByHand actions={actions} off={off} /></>
      ) : (
        <>
          <div class="ready-head">
            <h2>{t("open.today")}</h2>
            <button onClick={() => show("open")} disabled={off}>{t("open.other")} <kbd>O</kbd></button>
          </div>
          <DocketList state={state} list={list} error={error} off={off} word={t("open.do")} choose={(details) => void actions.run("open", { details })} />
          {list && list.problems.length > 0 && (
            <details class="list-problems">
              <summary>{t("open.problems", { n: list.problems.length })}</summary>
              <ul>{list.problems.map((p) => <li key={`${p.line} ${p.column}`}>{t("open.problem", { line: String(p.line), column: p.column })} <span lang="en">{p.what}</span></li>)}</ul>
            </details>
          )}
        </>
      )}
    </section>
  );
}
